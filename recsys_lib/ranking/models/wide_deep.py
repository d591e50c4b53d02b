"""Wide & Deep: a linear model that remembers pairs, beside a network that generalises.

The wide part has a weight for each category and each number, and one for each pair of the
candidate and a liked item (hashed into a fixed number of weights). The deep part is
Embedding+MLP. Both are trained together. An item has two weights, one as the candidate and one as a
liked item. ``id_dropout`` hides no pair.

    categories, numbers, candidate x liked items -> weights --+
                                                              +-> sum -> sigmoid
    categories, numbers -> embeddings -> hidden layers -> 1 --+

(Cheng et al.: Wide & Deep Learning for Recommender Systems, 2016. There FTRL with an L1 penalty
trains the wide part and AdaGrad the deep one, here it is Adam for both, as for the whole family.)
"""

from dataclasses import dataclass

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


@dataclass(frozen=True)
class WideDeepConfig(RankingConfig):
    """Settings of Wide & Deep.

    Attributes
    ----------
    n_pairs : int
        Number of weights for the pairs of candidate and liked item. Pairs with the same hash share
        a weight.
    """

    n_pairs: int = 10_000


def network(config: WideDeepConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    net = NetworkInputs.of(config, inputs)
    deep = layers.Dense(1, name="deep")(net.hidden(net.concatenated(net.vectors())))
    terms = [net.first_order(), deep]
    if inputs.history:
        terms.append(_crossed(net, config.n_pairs))
    return net.model(layers.Add()(terms), "wide_deep")


def _crossed(net, n_pairs: int):
    """Return the summed weights of the pairs of candidate and liked items: (n, 1)."""
    from recsys_lib.ranking.layers import EmbeddingTables, ops

    item, history = net.codes_of_item_and_history()
    candidate, liked = net.codes[:, item], net.codes[:, history]
    # A prime that is far from powers of two spreads the pairs. An unknown item makes no pair.
    pair = 1 + (candidate * 7_919 + liked) % (n_pairs - 1)
    known = ops.cast(ops.logical_and(candidate > 0, liked > 0), "int32")
    length = history.stop - history.start
    weights = EmbeddingTables([0] * length, n_pairs, 1, stddev=0.0, name="pairs")(pair * known)
    return ops.sum(weights, axis=1)
