"""DIN, the deep interest network: the history is weighed by the candidate.

A mean over the liked items blurs a user who has several interests. DIN gives each liked item a
weight that depends on the candidate, and adds up the weighted vectors.

    candidate, each liked item -> small network -> weight --+
    liked items -> vectors ---------------------------------+-> weighted sum --+
    other categories, numbers -> embeddings -----------------------------------+-> MLP -> sigmoid

(Zhou et al.: Deep Interest Network for Click-Through Rate Prediction, 2018.)

Attention sees the candidate in every sample: ``id_dropout`` hides it from the MLP alone, where it
is one field among others.

What differs from the paper: the activations are ReLU, not PReLU or Dice; the small network reads
the difference and the product of the two vectors, not their outer product; and regularisation is
that of this family (``embedding_l2`` by the squared length of a sample's vectors, ``dropout``), not
the paper's, which weighs a feature's penalty by how rare it is in the batch.
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
    vectors, candidate = net.vectors_and_candidate()
    liked, known = net.history(vectors)
    weight = TargetAttention(config.attention_units, name="attention")(candidate, liked, known)
    interest = ops.sum(weight[:, :, None] * liked, axis=1)  # (n, dim)
    x = layers.Concatenate()([net.concatenated(vectors, history=False), interest])
    return net.model(layers.Dense(1, name="like")(net.hidden(x)), "din")


def check_history(inputs: FeatureInputs) -> None:
    """Raise a :class:`DataError` when the inputs hold no history."""
    if not inputs.history:
        raise DataError("This model reads the user's history: name its columns in `history`.")
