"""Factorisation machine: logistic regression, and a weight for each pair of fields.

The pair's weight is the inner product of two vectors, so that pairs never seen together get one
too. A number's vector is scaled by the number.

    every field -> weights ----------------+
                                           +-> sum -> sigmoid
    every field -> vectors -> all pairs ---+

(Rendle: Factorization Machines, 2010.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    start = NetworkInputs.of(config, inputs)
    return start.end(
        layers.Add()([start.first_order(), second_order(start.factors())]),
        "fm",
    )


def second_order(vectors):
    """Return the sum over pairs of fields of their inner product: (n, f, dim) to (n, 1)."""
    from recsys_lib.ranking.layers import PairwiseInteractions, ops

    return ops.sum(PairwiseInteractions(name="pairs")(vectors), axis=1, keepdims=True)
