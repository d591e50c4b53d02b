"""Deep Crossing: vectors stacked side by side, then residual units.

A unit adds what two layers make of its input to the input itself, so that depth can be had
without losing the way back to the features.

    categories -> embeddings --+
                               +-> stack -> residual units -> 1 -> sigmoid
    numbers -------------------+

One unit a hidden size; the size is that of the unit's inner layer. (Shan et al.: Deep Crossing,
Web-Scale Modeling without Manually Crafted Combinatorial Features, 2016.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.layers import ResidualUnit
    from recsys_lib.ranking.network import NetworkInputs, layers

    start = NetworkInputs.of(config, inputs)
    mixed = start.concatenated(start.vectors())
    for depth, units in enumerate(config.hidden, start=1):
        mixed = ResidualUnit(units, name=f"residual_{depth}")(mixed)
        if config.dropout:
            mixed = layers.Dropout(config.dropout)(mixed)
    return start.end(layers.Dense(1, name="like")(mixed), "deep_crossing")
