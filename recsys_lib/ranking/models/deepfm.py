"""DeepFM: a factorisation machine and a network over the same vectors.

Wide & Deep wants its pairs chosen by hand; here the machine takes all of them, and both parts
share one set of vectors.

    every field -> weights ---------------------------+
    every field -> vectors --+-> all pairs -----------+-> sum -> sigmoid
                             +-> hidden layers -> 1 --+

(Guo et al.: DeepFM, A Factorization-Machine based Neural Network for CTR Prediction, 2017.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.models.fm import second_order


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    start = NetworkInputs.of(config, inputs)
    vectors = start.factors()
    deep = layers.Dense(1, name="deep")(start.hidden(layers.Flatten()(vectors)))
    logit = layers.Add()([start.first_order(), second_order(vectors), deep])
    return start.end(logit, "deepfm")
