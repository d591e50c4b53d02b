"""Measuring recommendations and predictions, with intervals."""

from recsys_lib.evaluation.beyond_accuracy import (
    audience,
    coverage,
    intra_list_diversity,
    novelty,
    popularity_bias,
)
from recsys_lib.evaluation.classification import (
    auc,
    calibration_error,
    log_loss,
    per_user_auc,
    per_user_ndcg,
)
from recsys_lib.evaluation.intervals import Interval, mean_interval
from recsys_lib.evaluation.protocol import (
    Evaluation,
    evaluate,
    evaluate_lists,
    held_out_likes,
)
from recsys_lib.evaluation.ranking import Relevant, hits_of, ranking_metrics, relevant_items
from recsys_lib.evaluation.resampled import resampled_auc

__all__ = [
    "Evaluation",
    "Interval",
    "Relevant",
    "auc",
    "audience",
    "calibration_error",
    "coverage",
    "evaluate",
    "evaluate_lists",
    "held_out_likes",
    "hits_of",
    "intra_list_diversity",
    "log_loss",
    "mean_interval",
    "novelty",
    "per_user_auc",
    "per_user_ndcg",
    "popularity_bias",
    "ranking_metrics",
    "relevant_items",
    "resampled_auc",
]
