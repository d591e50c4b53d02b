"""FNN: a multi-layer network over what a factorisation machine has learned.

The machine is trained first. Its weights and vectors become the first layer, and everything is
trained further together, so the embeddings start from something that already predicts.

    every field -> weight and vector (from the machine) -> hidden layers -> 1 -> sigmoid

(Zhang, Du, Wang: Deep Learning over Multi-field Categorical Data, 2016.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    net = NetworkInputs.of(config, inputs)
    weights = layers.Flatten()(net.pooled(net.weights()))
    vectors = layers.Flatten()(net.factors())
    hidden = net.hidden(layers.Concatenate()([weights, vectors, net.numbers]))
    return net.model(layers.Dense(1, name="like")(hidden), "fnn")
