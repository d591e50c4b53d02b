"""What orders the candidates of a request."""

from recsys_lib.rankers.base import (
    Candidates,
    Ranker,
    RecallOrder,
    UnknownUser,
    UserFeatures,
    load_ranker,
)
from recsys_lib.rankers.features import UserFeatureTable
from recsys_lib.rankers.model import ModelRanker
from recsys_lib.rankers.network import NetworkRanker, score_encoded, score_samples
from recsys_lib.rankers.remembering import Remembering

__all__ = [
    "Candidates",
    "ModelRanker",
    "NetworkRanker",
    "Ranker",
    "RecallOrder",
    "Remembering",
    "UnknownUser",
    "UserFeatureTable",
    "UserFeatures",
    "load_ranker",
    "score_encoded",
    "score_samples",
]
