"""Learning to rank what recall found: lists, features, losses and the model (排序层)."""

from recsys_lib.rankers.listwise.features import FAMILIES, CandidateFeatures
from recsys_lib.rankers.listwise.lists import RankingLists, ranking_lists, read_lists
from recsys_lib.rankers.listwise.losses import LOSSES, listwise, pairwise, pointwise
from recsys_lib.rankers.listwise.model import LINEAR, NETWORK, ListwiseConfig, ListwiseModel
from recsys_lib.rankers.listwise.ranker import ListwiseRanker

__all__ = [
    "FAMILIES",
    "LINEAR",
    "LOSSES",
    "NETWORK",
    "CandidateFeatures",
    "ListwiseConfig",
    "ListwiseModel",
    "ListwiseRanker",
    "RankingLists",
    "listwise",
    "pairwise",
    "pointwise",
    "ranking_lists",
    "read_lists",
]
