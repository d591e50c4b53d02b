"""The family of ranking models, one a file. Importing this package loads no TensorFlow.

Each file has ``network(config, inputs)``, which returns an untrained Keras model that takes
``[categories, numbers]``. A file whose model has settings of its own has a class for them, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recsys_lib.errors import DataError, nearest
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.models import (
    dcn_v2,
    deep_crossing,
    deepfm,
    dien,
    din,
    embedding_mlp,
    fm,
    fnn,
    logistic_regression,
    neural_cf,
    wide_deep,
)

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Kind:
    """A kind of ranking model.

    Attributes
    ----------
    title : str
        What the model is called in tables and figures.
    network : function of a configuration and of FeatureInputs
        Returns the untrained Keras model.
    config : type of RankingConfig
        The class of its settings.
    starts_from : str, optional
        The kind that is trained first; the weights of the same names are where this one starts. The
        class of settings then has ``earlier_training``.
    version : int
        Counts the networks that have had this name. A stored model of another one is refused.
    """

    title: str
    network: Callable[[RankingConfig, FeatureInputs], "keras.Model"]
    config: type[RankingConfig] = RankingConfig
    starts_from: str | None = None
    version: int = 1


# In order of appearance in the literature. A model of one's own is added as one more entry.
KINDS = {
    "logistic_regression": Kind("Logistic regression", logistic_regression.network, version=2),
    "fm": Kind("FM", fm.network, version=2),
    "fnn": Kind("FNN", fnn.network, fnn.FnnConfig, starts_from="fm", version=2),
    "wide_deep": Kind("Wide & Deep", wide_deep.network, wide_deep.WideDeepConfig, version=2),
    "deep_crossing": Kind("Deep Crossing", deep_crossing.network),
    "neural_cf": Kind("NeuralCF", neural_cf.network),
    "deepfm": Kind("DeepFM", deepfm.network, version=2),
    "din": Kind("DIN", din.network, din.DinConfig, version=2),
    "dien": Kind("DIEN", dien.network, dien.DienConfig, version=2),
    "dcn_v2": Kind("DCN-v2", dcn_v2.network, dcn_v2.DcnV2Config),
    "embedding_mlp": Kind("Embedding+MLP", embedding_mlp.network),
}


def kind_called(name: str) -> Kind:
    """Return the kind of ranking model with this key in :data:`KINDS`.

    Raises
    ------
    DataError
        There is no such kind; the message names the nearest one.
    """
    if name not in KINDS:
        raise DataError(
            f"There is no ranking model of kind {name!r}.{nearest(name, KINDS)} "
            f"Kinds: {', '.join(KINDS)}."
        )
    return KINDS[name]
