"""Logistic regression over categories and numbers: one weight each, added up.

A category's weight is what one-hot coding and a linear model would learn; the table only spares
the zeros.

    every category, every number -> weights -> sum -> sigmoid

(McMahan et al.: Ad Click Prediction, a View from the Trenches, 2013.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs

    start = NetworkInputs.of(config, inputs)
    return start.end(start.first_order(), "logistic_regression")
