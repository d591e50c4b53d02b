"""Serving: features in Redis and in memory, the recall-ranking cascade, cache, default list."""

from recsys_lib.serving.cache import ListCache
from recsys_lib.serving.cascade import (
    Candidates,
    Cascade,
    Recommendation,
    UnknownUser,
    blend,
    vectors_or_zeros,
)
from recsys_lib.serving.diversity import maximal_marginal_relevance
from recsys_lib.serving.feature_store import ItemFeatureTable, StoreUnavailable, UserFeatureStore
from recsys_lib.serving.recommender import Answer, Recommender
from recsys_lib.serving.redis_server import RedisServer
from recsys_lib.serving.scorer import Scorer, score_encoded, score_samples

__all__ = [
    "Answer",
    "Candidates",
    "Cascade",
    "ItemFeatureTable",
    "ListCache",
    "Recommendation",
    "Recommender",
    "RedisServer",
    "Scorer",
    "StoreUnavailable",
    "UnknownUser",
    "UserFeatureStore",
    "blend",
    "maximal_marginal_relevance",
    "score_encoded",
    "score_samples",
    "vectors_or_zeros",
]
