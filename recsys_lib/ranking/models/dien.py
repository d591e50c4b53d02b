"""DIEN, the deep interest evolution network: interests have a history of their own.

A GRU reads the liked items in order and makes an interest state of each; attention weighs the
states by the candidate; a second GRU, whose update gate the attention scales (AUGRU), follows the
interest that matters. An auxiliary loss asks each state to tell the next liked item from a random
one, so that states are learned from more than one click.

    liked items, oldest first -> GRU -> interests --+-> AUGRU -> last state --+
    candidate --------------------> attention ------+                         +-> MLP -> sigmoid
    other categories, numbers -> embeddings ----------------------------------+

The attention is DIN's small network with a softmax; the paper has a bilinear form in its place.
(Zhou et al.: Deep Interest Evolution Network for Click-Through Rate Prediction, 2019.)
"""

from dataclasses import dataclass

from recsys_lib.ranking.config import HISTORY, RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.models.din import candidate_and_history


@dataclass(frozen=True)
class Config(RankingConfig):
    """Settings of DIEN.

    Attributes
    ----------
    attention_units : int
        Hidden units of the network that weighs an interest.
    auxiliary_weight : float
        Of the auxiliary loss beside the loss of the labels.
    """

    history: tuple[str, ...] = HISTORY
    attention_units: int = 36
    auxiliary_weight: float = 0.5


def network(config: Config, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.layers import AUGRU, NextItemLoss, TargetAttention, ops
    from recsys_lib.ranking.network import NetworkInputs, layers

    start = NetworkInputs.of(config, inputs)
    vectors = start.vectors()
    candidate, liked, known = candidate_and_history(start, vectors)
    # Oldest first; what is missing comes before it.
    liked, known = ops.flip(liked, axis=1), ops.flip(known, axis=1)
    # As many units as the items' vectors have numbers, so that a state compares with an item.
    interests = layers.GRU(config.embedding_dim, return_sequences=True, name="interests")(
        liked, mask=known
    )
    if config.auxiliary_weight:
        interests = NextItemLoss(config.auxiliary_weight, name="auxiliary")(interests, liked, known)
    weight = TargetAttention(config.attention_units, normalised=True, name="attention")(
        candidate, interests, known
    )
    evolved = AUGRU(config.embedding_dim, name="evolution")(interests, weight, known)
    mixed = layers.Concatenate()([start.concatenated(vectors), evolved])
    return start.end(layers.Dense(1, name="like")(start.hidden(mixed)), "dien")
