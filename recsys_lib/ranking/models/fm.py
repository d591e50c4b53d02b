"""Factorisation machine: logistic regression, and a weight for each pair of fields.

The weight of a pair is the inner product of two vectors, so that pairs which never occurred
together get one, too. The vector of a number is multiplied by the number. An item has one vector,
whether it is the candidate or a liked item, and a weight of its own for each of the two.

    every field -> weights ----------------+
                                           +-> sum -> sigmoid
    every field -> vectors -> all pairs ---+

(Rendle: Factorization Machines, 2010. There a liked item has a vector of its own as well, and
stochastic gradient descent trains the machine, here it is Adam, as for the whole family.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    net = NetworkInputs.of(config, inputs)
    logit = layers.Add()([net.first_order(), second_order(net.factors())])
    return net.model(logit, "fm")


def second_order(vectors):
    """Return the sum, over pairs of fields, of their inner product: (n, f, dim) to (n, 1)."""
    from recsys_lib.ranking.layers import PairwiseInteractions, ops

    return ops.sum(PairwiseInteractions(name="pairs")(vectors), axis=1, keepdims=True)
