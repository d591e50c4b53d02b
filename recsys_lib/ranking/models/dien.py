"""DIEN, the deep interest evolution network: interests have a history of their own.

A GRU reads the liked items in order and turns each into an interest state. Attention weighs the
states by the candidate. A second GRU, whose update gate is scaled by attention (AUGRU), follows
the interest that matters. An auxiliary loss asks each state to tell the next liked item from a
random one, so that the states learn from more than the final label.

    liked items, oldest first -> GRU -> interests --+-> AUGRU -> last state --+
    candidate --------------------> attention ------+                         +-> MLP -> sigmoid
    other categories, numbers -> embeddings ----------------------------------+

(Zhou et al.: Deep Interest Evolution Network for Click-Through Rate Prediction, 2019.)

Attention sees the candidate in every sample: ``id_dropout`` hides it from the MLP alone, where it
is one field among others.

What differs from the paper: attention is DIN's small network with a softmax in place of a bilinear
form; the auxiliary loss takes its negative from the batch, the item that the next sample's user
liked at that place, where the paper draws an item that was not clicked; and the activations are
ReLU, not PReLU or Dice.
"""

from dataclasses import dataclass

from recsys_lib.ranking.config import HISTORY, RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.models.din import check_history


@dataclass(frozen=True)
class DienConfig(RankingConfig):
    """Settings of DIEN.

    Attributes
    ----------
    attention_units : int
        Width of the hidden layer of the network that weighs an interest.
    auxiliary_weight : float
        Weight of the auxiliary loss; the loss of the labels has the weight 1.
    """

    history: tuple[str, ...] = HISTORY
    attention_units: int = 36
    auxiliary_weight: float = 0.5


def network(config: DienConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    check_history(inputs)
    from recsys_lib.ranking.network import NetworkInputs, layers
    from recsys_lib.ranking.sequence_layers import AUGRU, NextItemLoss, TargetAttention, ops

    net = NetworkInputs.of(config, inputs)
    vectors, candidate = net.vectors_and_candidate()
    liked, known = net.history(vectors)
    # Oldest first. Missing items then stand at the beginning.
    liked, known = ops.flip(liked, axis=1), ops.flip(known, axis=1)
    # A state is as long as an item's vector, so that the two can be compared.
    interests = layers.GRU(config.embedding_dim, return_sequences=True, name="interests")(
        liked, mask=known
    )
    if config.auxiliary_weight:
        interests = NextItemLoss(config.auxiliary_weight, name="auxiliary")(interests, liked, known)
    weight = TargetAttention(config.attention_units, normalised=True, name="attention")(
        candidate, interests, known
    )
    evolved = AUGRU(config.embedding_dim, name="evolution")(interests, weight, known)
    x = layers.Concatenate()([net.concatenated(vectors, history=False), evolved])
    return net.model(layers.Dense(1, name="like")(net.hidden(x)), "dien")
