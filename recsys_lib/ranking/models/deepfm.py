"""DeepFM: a factorisation machine and a network over the same vectors.

Wide & Deep wants its pairs chosen by hand. Here the machine takes all of them, and the machine and
the network share one set of vectors. An item has one vector, whether it is the candidate or a liked
item, and a weight of its own for each of the two.

    every field -> weights ---------------------------+
    every field -> vectors --+-> all pairs -----------+-> sum -> sigmoid
                             +-> hidden layers -> 1 --+

(Guo et al.: DeepFM, A Factorization-Machine based Neural Network for CTR Prediction, 2017.
There a field has one value; here one of several, the history, is the mean of its vectors. Dropout
and the penalty on vectors are the family's, and ``id_dropout`` is ours.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.models.fm import second_order


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    net = NetworkInputs.of(config, inputs)
    vectors = net.factors()
    deep = layers.Dense(1, name="deep")(net.hidden(layers.Flatten()(vectors)))
    logit = layers.Add()([net.first_order(), second_order(vectors), deep])
    return net.model(logit, "deepfm")
