"""Deep Crossing: vectors stacked side by side, then residual units.

A unit adds the output of two layers to its own input, so that the network can be deep and the
gradient still finds its way back to the features.

    categories -> embeddings --+
                               +-> stack -> residual units -> 1 -> sigmoid
    numbers -------------------+

Each hidden size of the configuration makes one unit, with an inner layer of that size. (Shan et
al.: Deep Crossing, Web-Scale Modeling without Manually Crafted Combinatorial Features, 2016. There
a ReLU follows the embeddings, which makes no component negative, and features of few values skip
the embedding; here neither is so.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.layers import ResidualUnit
    from recsys_lib.ranking.network import NetworkInputs, layers

    net = NetworkInputs.of(config, inputs)
    x = net.concatenated(net.vectors())
    for depth, units in enumerate(config.hidden, start=1):
        x = ResidualUnit(units, name=f"residual_{depth}")(x)
        if config.dropout:
            x = layers.Dropout(config.dropout)(x)
    return net.model(layers.Dense(1, name="like")(x), "deep_crossing")
