"""The recall layer (召回层): channels that narrow a catalogue down to some hundred candidates."""

from recsys_lib.recall.base import Recaller
from recsys_lib.recall.genre import FavouriteGenre
from recsys_lib.recall.item_to_item import ItemKNN
from recsys_lib.recall.popular import Newest, Popular, RandomRecaller, RecentlyPopular
from recsys_lib.recall.vectors import VectorRecaller

__all__ = [
    "FavouriteGenre",
    "ItemKNN",
    "Newest",
    "Popular",
    "RandomRecaller",
    "Recaller",
    "RecentlyPopular",
    "VectorRecaller",
]
