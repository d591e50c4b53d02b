"""Embedding+MLP, the ranking model of the course notes (S12).

Ten categories become vectors of ten numbers each, and seven statistics stay numbers. Two layers of
128 units mix them, and a sigmoid gives the probability of a like:

    item_id, user_id, 3 item genres, 5 user genres -> embeddings --+
                                                                   +-> 128 -> 128 -> 1 -> sigmoid
    release year, rating counts, means, deviations ----------------+

(Zhang, Du, Wang: Deep Learning over Multi-field Categorical Data, 2016; Covington, Adams,
Sargin: Deep Neural Networks for YouTube Recommendations, 2016.)
"""

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    net = NetworkInputs.of(config, inputs)
    hidden = net.hidden(net.concatenated(net.vectors()))
    return net.model(layers.Dense(1, name="like")(hidden), "embedding_mlp")
