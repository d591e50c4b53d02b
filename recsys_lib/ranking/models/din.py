"""DIN, the deep interest network: the history is weighed by the candidate.

A mean over the liked items blurs a user who has several interests. DIN gives each liked item a
weight that depends on the candidate, and adds up the weighted vectors.

    candidate, each liked item -> small network -> weight --+
    liked items -> vectors ---------------------------------+-> weighted sum --+
    other categories, numbers -> embeddings -----------------------------------+-> MLP -> sigmoid

(Zhou et al.: Deep Interest Network for Click-Through Rate Prediction, 2018.)

What differs from the paper: the MLP reads the plain mean of the liked items beside the weighted
sum, as it does in every model of this family; the activation is ReLU, not Dice; and
``id_dropout`` hides the candidate from attention in that share of the training samples.
"""

from dataclasses import dataclass

from recsys_lib.errors import DataError
from recsys_lib.ranking.config import HISTORY, RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


@dataclass(frozen=True)
class DinConfig(RankingConfig):
    """Settings of DIN.

    Attributes
    ----------
    attention_units : int
        Width of the hidden layer of the network that weighs a liked item.
    """

    history: tuple[str, ...] = HISTORY
    attention_units: int = 36


def network(config: DinConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    check_history(inputs)
    from recsys_lib.ranking.network import NetworkInputs, layers
    from recsys_lib.ranking.sequence_layers import TargetAttention, ops

    net = NetworkInputs.of(config, inputs)
    vectors = net.vectors()
    candidate, liked, known = net.candidate_and_history(vectors)
    weight = TargetAttention(config.attention_units, name="attention")(candidate, liked, known)
    interest = ops.sum(weight[:, :, None] * liked, axis=1)  # (n, dim)
    x = layers.Concatenate()([net.concatenated(vectors), interest])
    return net.model(layers.Dense(1, name="like")(net.hidden(x)), "din")


def check_history(inputs: FeatureInputs) -> None:
    """Raise a :class:`DataError` when the inputs hold no history."""
    if not inputs.history:
        raise DataError("This model reads the user's history: name its columns in `history`.")
