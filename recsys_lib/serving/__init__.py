"""Serving: the recall-ranking cascade, cache, default list."""

from recsys_lib.serving.cache import ListCache
from recsys_lib.serving.cascade import Cascade, Ranked, Recommendation, blend, vectors_or_zeros
from recsys_lib.serving.diversity import maximal_marginal_relevance
from recsys_lib.serving.recommender import Answer, Recommender

__all__ = [
    "Answer",
    "Cascade",
    "ListCache",
    "Ranked",
    "Recommendation",
    "Recommender",
    "blend",
    "maximal_marginal_relevance",
    "vectors_or_zeros",
]
