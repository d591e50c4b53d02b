"""FNN: a multi-layer network over what a factorisation machine has learned.

The machine is trained first; its weights and vectors become the first layer, and all is trained
on together. So the embedding starts from something that already predicts.

    every field -> weight and vector (from the machine) -> hidden layers -> 1 -> sigmoid

(Zhang, Du, Wang: Deep Learning over Multi-field Categorical Data, 2016.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs

PRETRAINED_BY = "fm"  # the kind whose weights of the same names it starts from


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    start = NetworkInputs.of(config, inputs)
    weights = layers.Flatten()(start.pooled(start.weights()))
    vectors = layers.Flatten()(start.factors())
    mixed = start.hidden(layers.Concatenate()([weights, vectors, start.numbers]))
    return start.end(layers.Dense(1, name="like")(mixed), "fnn")
