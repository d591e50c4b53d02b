"""The ranking layer (排序层): models that order a few hundred candidates precisely.

Importing this package loads no TensorFlow: a trained :class:`RankingModel` is plain arrays.
"""

from recsys_lib.ranking.embedding_mlp import (
    Config as EmbeddingMLPConfig,
)
from recsys_lib.ranking.embedding_mlp import (
    build_embedding_mlp,
    fixed_epochs,
    notes_config,
    train_embedding_mlp,
)
from recsys_lib.ranking.inputs import Encoded, FeatureInputs, labels_of
from recsys_lib.ranking.model import RankingModel
from recsys_lib.ranking.training import TrainingConfig, TrainingLog

__all__ = [
    "EmbeddingMLPConfig",
    "Encoded",
    "FeatureInputs",
    "RankingModel",
    "TrainingConfig",
    "TrainingLog",
    "build_embedding_mlp",
    "fixed_epochs",
    "labels_of",
    "notes_config",
    "train_embedding_mlp",
]
