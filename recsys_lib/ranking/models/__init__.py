"""The family of ranking models, one a file. Importing this package loads no TensorFlow.

Each file has ``network(config, inputs)``, which returns an untrained Keras model that takes
``[categories, numbers]``; one that has settings of its own has a ``Config`` too.
"""

import importlib

from recsys_lib.errors import DataError, nearest
from recsys_lib.ranking.config import RankingConfig

# Kind -> what it is called in tables. In order of appearance in the literature.
KINDS = {
    "logistic_regression": "Logistic regression",
    "fm": "FM",
    "fnn": "FNN",
    "wide_deep": "Wide & Deep",
    "deep_crossing": "Deep Crossing",
    "neural_cf": "NeuralCF",
    "deepfm": "DeepFM",
    "din": "DIN",
    "dien": "DIEN",
    "dcn_v2": "DCN-v2",
    "embedding_mlp": "Embedding+MLP",
}


def module_of(kind: str):
    """Return the module of a kind of model."""
    if kind not in KINDS:
        raise DataError(
            f"There is no ranking model of kind {kind!r}.{nearest(kind, KINDS)} "
            f"Kinds: {', '.join(KINDS)}."
        )
    return importlib.import_module(f"{__name__}.{kind}")


def config_class(kind: str) -> type[RankingConfig]:
    """Return the class of a kind's settings."""
    return getattr(module_of(kind), "Config", RankingConfig)
