"""The recall layer (召回层): channels that narrow a catalogue down to some hundred candidates."""

from recsys_lib.recall.als import ImplicitALS
from recsys_lib.recall.attributes import FavouriteGenre, FavouritePeople, with_people
from recsys_lib.recall.base import Channel, Recaller
from recsys_lib.recall.best import Best, hold_out
from recsys_lib.recall.calibration import Calibration, calibrate, score_bands
from recsys_lib.recall.cosine_lsh import CosineLSH, angular_collision_probability
from recsys_lib.recall.ease import Ease
from recsys_lib.recall.euclidean_lsh import EuclideanLSH, collision_probability, hash_values
from recsys_lib.recall.exact import ExactIndex
from recsys_lib.recall.item_to_item import ItemKNN
from recsys_lib.recall.lsh_tuning import choose_probes, choose_settings, neighbour_recall
from recsys_lib.recall.merge import Merged, fuse
from recsys_lib.recall.plan import (
    channel_names,
    default_plan,
    make_channel,
    recallers_from_plan,
)
from recsys_lib.recall.popular import Newest, Popular, RandomRecaller, RecentlyPopular
from recsys_lib.recall.random_walk import RP3beta
from recsys_lib.recall.ready import ready_recaller
from recsys_lib.recall.two_tower import TwoTower
from recsys_lib.recall.user_to_user import UserKNN
from recsys_lib.recall.vectors import VectorRecaller

__all__ = [
    "Best",
    "Calibration",
    "Channel",
    "CosineLSH",
    "Ease",
    "EuclideanLSH",
    "ExactIndex",
    "FavouriteGenre",
    "FavouritePeople",
    "ImplicitALS",
    "ItemKNN",
    "Merged",
    "Newest",
    "Popular",
    "RP3beta",
    "RandomRecaller",
    "Recaller",
    "RecentlyPopular",
    "TwoTower",
    "UserKNN",
    "VectorRecaller",
    "angular_collision_probability",
    "calibrate",
    "channel_names",
    "choose_probes",
    "choose_settings",
    "collision_probability",
    "default_plan",
    "fuse",
    "hash_values",
    "hold_out",
    "make_channel",
    "neighbour_recall",
    "ready_recaller",
    "recallers_from_plan",
    "score_bands",
    "with_people",
]
