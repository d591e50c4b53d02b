"""NeuralCF (NeuMF): user and item alone, their vectors multiplied and mixed.

Two pairs of vectors are learned: one pair is multiplied place by place (a matrix factorisation
with a weight a place), the other goes through hidden layers; a last layer reads both. It sees no
other feature, so it has nothing to say of new users and new items.

    user, item -> vectors -> product -------------+
                                                  +-> 1 -> sigmoid
    user, item -> vectors -> hidden layers -------+

(He et al.: Neural Collaborative Filtering, 2017.)
"""

from recsys_lib.errors import DataError
from recsys_lib.ranking.config import IDS, RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    if missing := [column for column in IDS if column not in inputs.categories]:
        raise DataError(f"NeuralCF needs the categories {', '.join(missing)}.")
    start = NetworkInputs.of(config, inputs)
    item, user = (inputs.categories.index(column) for column in IDS)
    factors, vectors = start.vectors(name="factors"), start.vectors()  # (n, n_codes, dim)
    product = layers.Multiply()([factors[:, user], factors[:, item]])
    mixed = start.hidden(layers.Concatenate()([vectors[:, user], vectors[:, item]]))
    both = layers.Concatenate()([product, mixed])
    return start.end(layers.Dense(1, name="like")(both), "neural_cf")
