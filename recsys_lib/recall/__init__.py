"""The recall layer (召回层): channels that narrow a catalogue down to some hundred candidates."""

from recsys_lib.recall.base import Channel, Recaller
from recsys_lib.recall.cosine_lsh import CosineLSH, angular_collision_probability
from recsys_lib.recall.ease import Ease
from recsys_lib.recall.euclidean_lsh import EuclideanLSH, collision_probability, hash_values
from recsys_lib.recall.exact import ExactIndex
from recsys_lib.recall.genre import FavouriteGenre
from recsys_lib.recall.item_to_item import ItemKNN
from recsys_lib.recall.lsh_tuning import choose_probes, choose_settings, neighbour_recall
from recsys_lib.recall.merge import Merged, fuse
from recsys_lib.recall.plan import default_plan, make_channel, recallers_from_plan
from recsys_lib.recall.popular import Newest, Popular, RandomRecaller, RecentlyPopular
from recsys_lib.recall.vectors import VectorRecaller

__all__ = [
    "Channel",
    "CosineLSH",
    "Ease",
    "EuclideanLSH",
    "ExactIndex",
    "FavouriteGenre",
    "ItemKNN",
    "Merged",
    "Newest",
    "Popular",
    "RandomRecaller",
    "Recaller",
    "RecentlyPopular",
    "VectorRecaller",
    "angular_collision_probability",
    "choose_probes",
    "choose_settings",
    "collision_probability",
    "default_plan",
    "fuse",
    "hash_values",
    "make_channel",
    "neighbour_recall",
    "recallers_from_plan",
]
