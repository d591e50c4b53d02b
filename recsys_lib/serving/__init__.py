"""Serving: the recall-ranking cascade, cache, default list."""

from recsys_lib.serving.cache import ListCache
from recsys_lib.serving.cascade import Cascade, Ranked, Recommendation, blend, vectors_or_zeros
from recsys_lib.serving.diversity import maximal_marginal_relevance
from recsys_lib.serving.recommender import Answer, Recommender
from recsys_lib.serving.trained import (
    MOST_LISTS,
    cuts_of,
    fit_again,
    lists_at_cuts,
    ranking_features,
    train_cascade,
)

__all__ = [
    "MOST_LISTS",
    "Answer",
    "Cascade",
    "ListCache",
    "Ranked",
    "Recommendation",
    "Recommender",
    "blend",
    "cuts_of",
    "fit_again",
    "lists_at_cuts",
    "maximal_marginal_relevance",
    "ranking_features",
    "train_cascade",
    "vectors_or_zeros",
]
