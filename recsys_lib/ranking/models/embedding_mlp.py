"""Embedding+MLP, the notes' ranking model (S12).

Ten categories become vectors of ten numbers, seven statistics stay numbers; two layers of 128
mix them, a sigmoid gives the probability of a like:

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

    start = NetworkInputs.of(config, inputs)
    mixed = start.hidden(start.concatenated(start.vectors()))
    return start.end(layers.Dense(1, name="like")(mixed), "embedding_mlp")
