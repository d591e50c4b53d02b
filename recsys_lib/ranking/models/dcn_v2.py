"""DCN-v2: layers that multiply features with each other, beside ordinary hidden layers.

After k cross layers the network holds products of up to k + 1 features, which training chooses. A
plain ReLU network has to imitate products.

    embeddings, numbers = x0 --+-> x0 * (W x + b) + x, again and again --+
                               +-> hidden layers ------------------------+-> 1 -> sigmoid

(Wang et al.: DCN V2, Improved Deep & Cross Network, 2021; the parallel form.)
"""

from dataclasses import dataclass

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


@dataclass(frozen=True)
class DcnV2Config(RankingConfig):
    """Settings of DCN-v2.

    Attributes
    ----------
    n_crosses : int
        Number of cross layers.
    """

    n_crosses: int = 2


def network(config: DcnV2Config, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.layers import FeatureCross
    from recsys_lib.ranking.network import NetworkInputs, layers

    net = NetworkInputs.of(config, inputs)
    x0 = crossed = net.concatenated(net.vectors())
    for depth in range(1, config.n_crosses + 1):
        crossed = FeatureCross(name=f"cross_{depth}")(x0, crossed)
    both = layers.Concatenate()([crossed, net.hidden(x0)])
    return net.model(layers.Dense(1, name="like")(both), "dcn_v2")
