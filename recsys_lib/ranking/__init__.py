"""The ranking layer (排序层): models that order a few hundred candidates precisely.

A model is trained from a table of samples, with one row for each user, item and label::

    from recsys_lib.ranking import RankingModel, Schema, evaluate_model, train_model

    schema = Schema(label="clicked", user="uid", item="sku", numbers=["price"])
    model = train_model("deepfm", clicks, schema=schema)
    model.predict(more_clicks)  # probabilities
    model.save("model")
    evaluate_model(RankingModel.load("model"), more_clicks)

What there is
    ``KINDS`` the models of the family by name; ``train_model``, ``build_models``
What a model reads
    ``Schema`` the columns of a person's own table; ``FeatureInputs``, ``Encoded`` columns as
    arrays; ``labels_of``; ``CATEGORIES``, ``NUMBERS``, ``HISTORY`` the library's own columns
Its settings
    ``RankingConfig`` for most kinds; ``DinConfig``, ``DienConfig``, ``DcnV2Config``, ``FnnConfig``
    and ``WideDeepConfig`` for those that have more; ``TrainingConfig``; ``config_for`` a kind;
    ``notes_config`` what the course notes use
What comes out
    ``RankingModel``; ``TrainingLog``; ``evaluate_model``
Trees on the same inputs
    ``train_trees`` into ``BoostedTrees``
Comparisons
    ``train_and_predict``, ``train_and_predict_trees`` over several seeds, into ``Predictions``;
    ``leaderboard``

Importing this package loads no TensorFlow: a trained :class:`RankingModel` is plain arrays.
"""

from recsys_lib.ranking.boosted_trees import train_and_predict_trees, train_trees
from recsys_lib.ranking.column_schema import Schema
from recsys_lib.ranking.config import (
    CATEGORIES,
    HISTORY,
    NUMBERS,
    RankingConfig,
    TrainingConfig,
    notes_config,
)
from recsys_lib.ranking.fitting import build_models, config_for, train_model
from recsys_lib.ranking.inputs import Encoded, FeatureInputs
from recsys_lib.ranking.labels import labels_of
from recsys_lib.ranking.leaderboard import leaderboard, train_and_predict
from recsys_lib.ranking.model import RankingModel
from recsys_lib.ranking.models import KINDS
from recsys_lib.ranking.models.dcn_v2 import DcnV2Config
from recsys_lib.ranking.models.dien import DienConfig
from recsys_lib.ranking.models.din import DinConfig
from recsys_lib.ranking.models.fnn import FnnConfig
from recsys_lib.ranking.models.wide_deep import WideDeepConfig
from recsys_lib.ranking.predictions import Predictions
from recsys_lib.ranking.sample_metrics import evaluate_model
from recsys_lib.ranking.training import TrainingLog
from recsys_lib.ranking.tree_model import BoostedTrees

__all__ = [
    "CATEGORIES",
    "HISTORY",
    "KINDS",
    "NUMBERS",
    "BoostedTrees",
    "DcnV2Config",
    "DienConfig",
    "DinConfig",
    "Encoded",
    "FeatureInputs",
    "FnnConfig",
    "Predictions",
    "RankingConfig",
    "RankingModel",
    "Schema",
    "TrainingConfig",
    "TrainingLog",
    "WideDeepConfig",
    "build_models",
    "config_for",
    "evaluate_model",
    "labels_of",
    "leaderboard",
    "notes_config",
    "train_and_predict",
    "train_and_predict_trees",
    "train_model",
    "train_trees",
]
