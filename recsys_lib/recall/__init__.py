"""The recall layer (召回层): channels that narrow a catalogue down to some hundred candidates."""

from recsys_lib.recall.base import Recaller
from recsys_lib.recall.calibration import Calibration, calibrate, score_bands
from recsys_lib.recall.channels.als import ImplicitALS
from recsys_lib.recall.channels.attributes import FavouriteGenre, FavouritePeople
from recsys_lib.recall.channels.base import Channel
from recsys_lib.recall.channels.ease import Ease
from recsys_lib.recall.channels.item_knn import ItemKNN
from recsys_lib.recall.channels.popular import Newest, Popular, RandomRecaller, RecentlyPopular
from recsys_lib.recall.channels.rp3beta import RP3beta
from recsys_lib.recall.channels.sessions import CoOccurrence, SessionEase, Transitions
from recsys_lib.recall.channels.two_tower import TwoTower
from recsys_lib.recall.channels.user_knn import UserKNN
from recsys_lib.recall.channels.vectors import VectorRecaller
from recsys_lib.recall.cold_start import (
    AttributeRidge,
    ClusterPopular,
    Interview,
    Newcomers,
    SegmentPopular,
    WithNewItems,
)
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import Lists
from recsys_lib.recall.merge import Merged, fuse
from recsys_lib.recall.merge_search import grow_merge
from recsys_lib.recall.registry import (
    channel_names,
    default_plan,
    feasible,
    make_channel,
    merge_from_plan,
)
from recsys_lib.recall.storage import load_recaller
from recsys_lib.recall.tuning import TunedMerge, make_recaller

__all__ = [
    "AttributeRidge",
    "Calibration",
    "Channel",
    "ClusterPopular",
    "CoOccurrence",
    "Ease",
    "FavouriteGenre",
    "FavouritePeople",
    "Histories",
    "ImplicitALS",
    "Interview",
    "ItemKNN",
    "Lists",
    "Merged",
    "Newcomers",
    "Newest",
    "Popular",
    "RP3beta",
    "RandomRecaller",
    "Recaller",
    "RecentlyPopular",
    "SegmentPopular",
    "SessionEase",
    "Transitions",
    "TunedMerge",
    "TwoTower",
    "UserKNN",
    "VectorRecaller",
    "WithNewItems",
    "calibrate",
    "channel_names",
    "default_plan",
    "feasible",
    "fuse",
    "grow_merge",
    "load_recaller",
    "make_channel",
    "make_recaller",
    "merge_from_plan",
    "score_bands",
]
