"""DCN-v2: layers that multiply features with each other, beside ordinary ones.

After k cross layers the network holds products of up to k + 1 features, chosen by training; a
plain relu network has to imitate products.

    embeddings, numbers = x0 --+-> x0 * (W x + b) + x, again and again --+
                               +-> hidden layers ------------------------+-> 1 -> sigmoid

(Wang et al.: DCN V2, Improved Deep & Cross Network, 2021; the parallel form.)
"""

from dataclasses import dataclass

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


@dataclass(frozen=True)
class Config(RankingConfig):
    """Settings of DCN-v2.

    Attributes
    ----------
    n_crosses : int
        Cross layers.
    """

    n_crosses: int = 2


def network(config: Config, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.layers import FeatureCross
    from recsys_lib.ranking.network import NetworkInputs, layers

    start = NetworkInputs.of(config, inputs)
    x0 = crossed = start.concatenated(start.vectors())
    for depth in range(1, config.n_crosses + 1):
        crossed = FeatureCross(name=f"cross_{depth}")(x0, crossed)
    both = layers.Concatenate()([crossed, start.hidden(x0)])
    return start.end(layers.Dense(1, name="like")(both), "dcn_v2")
