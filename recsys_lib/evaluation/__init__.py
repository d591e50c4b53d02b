"""Measuring recommendations and predictions, with intervals.

Lists
    ``evaluate`` a recaller; ``Evaluation``, ``evaluate_lists``, ``held_out_likes``;
    ``ranking_metrics`` and what they need: ``Relevant``, ``relevant_items``, ``hits_of``
What hits do not show
    ``coverage``, ``novelty``, ``intra_list_diversity``, ``popularity_bias``; ``audience``
Predicted probabilities
    ``auc``, ``per_user_auc``, ``per_user_ndcg``, ``log_loss``, ``calibration_error``
How sure a figure is
    ``Interval``; ``mean_interval``, and ``mean_difference`` of two methods; ``resampled_auc``
Results in one table
    ``comparison_board``, ``paired_differences``
"""

from recsys_lib.evaluation.beyond_accuracy import (
    audience,
    coverage,
    intra_list_diversity,
    novelty,
    popularity_bias,
)
from recsys_lib.evaluation.board import comparison_board, paired_differences
from recsys_lib.evaluation.classification import (
    auc,
    calibration_error,
    log_loss,
    per_user_auc,
    per_user_ndcg,
)
from recsys_lib.evaluation.intervals import (
    Interval,
    mean_difference,
    mean_interval,
    seed_interval,
    seeds_and_users_interval,
)
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
    "comparison_board",
    "coverage",
    "evaluate",
    "evaluate_lists",
    "held_out_likes",
    "hits_of",
    "intra_list_diversity",
    "log_loss",
    "mean_difference",
    "mean_interval",
    "novelty",
    "paired_differences",
    "per_user_auc",
    "per_user_ndcg",
    "popularity_bias",
    "ranking_metrics",
    "relevant_items",
    "resampled_auc",
    "seed_interval",
    "seeds_and_users_interval",
]
