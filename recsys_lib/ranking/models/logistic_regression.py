"""Logistic regression over categories and numbers: a weight for each, added up.

A category's weight is what one-hot coding and a linear model would learn. The table merely spares
the multiplications by zero. An item has two weights, one as the candidate and one as a liked item;
the history adds the mean of the liked items' weights.

    every category, every number -> weights -> sum -> sigmoid

(McMahan et al.: Ad Click Prediction, a View from the Trenches, 2013. There FTRL trains the
weights, here it is Adam, as for the whole family.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs

    net = NetworkInputs.of(config, inputs)
    return net.model(net.first_order(), "logistic_regression")
