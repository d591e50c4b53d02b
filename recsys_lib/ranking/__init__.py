"""The ranking layer (排序层): models that order a few hundred candidates precisely.

Importing this package loads no TensorFlow: a trained :class:`RankingModel` is plain arrays.
"""

from recsys_lib.ranking.boosted_trees import enter_boosted_trees
from recsys_lib.ranking.config import (
    CATEGORIES,
    HISTORY,
    NUMBERS,
    RankingConfig,
    TrainingConfig,
    notes_config,
)
from recsys_lib.ranking.fitting import build_models, config_for, train_model
from recsys_lib.ranking.inputs import Encoded, FeatureInputs, labels_of
from recsys_lib.ranking.leaderboard import (
    Entry,
    enter,
    leaderboard,
    neighbours,
    paired_difference,
)
from recsys_lib.ranking.model import RankingModel
from recsys_lib.ranking.models import KINDS
from recsys_lib.ranking.training import TrainingLog

__all__ = [
    "CATEGORIES",
    "HISTORY",
    "KINDS",
    "NUMBERS",
    "Encoded",
    "Entry",
    "FeatureInputs",
    "RankingConfig",
    "RankingModel",
    "TrainingConfig",
    "TrainingLog",
    "build_models",
    "config_for",
    "enter",
    "enter_boosted_trees",
    "labels_of",
    "leaderboard",
    "neighbours",
    "notes_config",
    "paired_difference",
    "train_model",
]
