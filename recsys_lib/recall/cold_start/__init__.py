"""Cold start (冷启动): users and items of whom nothing, or nearly nothing, is known (S23).

New users
    ``user_attributes``; ``SegmentPopular``, ``ClusterPopular``, ``AttributeRidge``; ``Interview``;
    ``Newcomers``, which hands over to a personal model
New items
    ``MeanOfSimilar``, ``ContentRidge``, ``DropoutNet`` and what they read, ``ContentEncoder``;
    ``updated_vectors`` after the first ratings; ``WithNewItems``, which gives them places in lists
Measuring
    ``NewUserTrial``, ``NewItemTrial``
"""

from recsys_lib.recall.cold_start.attribute_model import AttributeRidge
from recsys_lib.recall.cold_start.attributes import ReadsUsers, shrunk, user_attributes
from recsys_lib.recall.cold_start.content import (
    ContentEncoder,
    ContentRidge,
    DropoutNet,
    MeanOfSimilar,
    updated_vectors,
)
from recsys_lib.recall.cold_start.interview import Interview, popularity_times_entropy
from recsys_lib.recall.cold_start.new_items import WithNewItems
from recsys_lib.recall.cold_start.newcomers import Newcomers
from recsys_lib.recall.cold_start.segments import ClusterPopular, SegmentPopular
from recsys_lib.recall.cold_start.trials import NewItemTrial, NewUserTrial, mean_by_user

__all__ = [
    "AttributeRidge",
    "ClusterPopular",
    "ContentEncoder",
    "ContentRidge",
    "DropoutNet",
    "Interview",
    "MeanOfSimilar",
    "NewItemTrial",
    "NewUserTrial",
    "Newcomers",
    "ReadsUsers",
    "SegmentPopular",
    "WithNewItems",
    "mean_by_user",
    "popularity_times_entropy",
    "shrunk",
    "updated_vectors",
    "user_attributes",
]
