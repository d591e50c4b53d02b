"""Wide & Deep: a linear model that remembers pairs beside a network that generalises.

The wide part has a weight for each category and number, and one for each pair of the candidate
and a liked item (hashed into a fixed number of weights). The deep part is Embedding+MLP. Both are
trained together.

    categories, numbers, candidate x liked items -> weights --+
                                                              +-> sum -> sigmoid
    categories, numbers -> embeddings -> hidden layers -> 1 --+

(Cheng et al.: Wide & Deep Learning for Recommender Systems, 2016.)
"""

from dataclasses import dataclass

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.schema import ITEM


@dataclass(frozen=True)
class Config(RankingConfig):
    """Settings of Wide & Deep.

    Attributes
    ----------
    n_pairs : int
        Weights for the pairs of candidate and liked item; pairs that meet in one share it.
    """

    n_pairs: int = 10_000


def network(config: Config, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    start = NetworkInputs.of(config, inputs)
    deep = layers.Dense(1, name="deep")(start.hidden(start.concatenated(start.vectors())))
    parts = [start.first_order(), deep]
    if inputs.history:
        parts.append(_crossed(start, config.n_pairs))
    return start.end(layers.Add()(parts), "wide_deep")


def _crossed(start, n_pairs: int):
    """Return the summed weights of the pairs of candidate and liked items: (n, 1)."""
    from recsys_lib.ranking.layers import EmbeddingTables, ops

    fields = {field.name: field for field in start.inputs.fields}
    candidate, liked = start.codes[:, fields[ITEM].codes], start.codes[:, fields["history"].codes]
    # A prime far from powers of two spreads the pairs; an unknown item makes no pair.
    pair = 1 + (candidate * 7_919 + liked) % (n_pairs - 1)
    there = ops.cast(ops.logical_and(candidate > 0, liked > 0), "int32")
    weights = EmbeddingTables(
        [0] * len(start.inputs.history), n_pairs, 1, stddev=0.0, name="pairs"
    )(pair * there)
    return ops.sum(weights, axis=1)
