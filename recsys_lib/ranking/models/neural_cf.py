"""NeuralCF (NeuMF): user and item alone, their vectors multiplied and mixed.

Two pairs of vectors are learned. One pair is multiplied component by component, which is a matrix
factorisation with a weight for each component. The other goes through hidden layers. The last
layer reads both. The model sees no other feature, so it has nothing to say about new users and
new items.

    user, item -> vectors -> product -------------+
                                                  +-> 1 -> sigmoid
    user, item -> vectors -> hidden layers -------+

(He et al.: Neural Collaborative Filtering, 2017. There both pairs may be pre-trained, here they
start at random. ``id_dropout`` hides nothing here: a sample without its user or its item would say
little, and at .5 only one in four keeps both.)
"""

from dataclasses import replace

from recsys_lib.errors import DataError
from recsys_lib.ranking.config import IDS, RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    if missing := [column for column in IDS if column not in inputs.categories]:
        raise DataError(f"NeuralCF needs the categories {', '.join(missing)}.")
    net = NetworkInputs.of(replace(config, id_dropout=0.0), inputs)
    item, user = (inputs.categories.index(column) for column in IDS)
    factors, vectors = net.vectors(name="factors"), net.vectors()  # (n, n_codes, dim)
    product = layers.Multiply()([factors[:, user], factors[:, item]])
    hidden = net.hidden(layers.Concatenate()([vectors[:, user], vectors[:, item]]))
    both = layers.Concatenate()([product, hidden])
    return net.model(layers.Dense(1, name="like")(both), "neural_cf")
