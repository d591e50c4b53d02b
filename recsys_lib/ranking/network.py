"""What every ranking network starts and ends with. Importing this module imports TensorFlow."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys_lib.ranking.config import HISTORY_FIELD, IDS, RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.layers import (
    EmbeddingTables,
    FieldMeans,
    HiddenIds,
    LinearTerms,
    ScaledVectors,
    keras,
)
from recsys_lib.schema import ITEM

layers = keras.layers
SMALL_STDDEV = 0.01  # of the initial vectors that are multiplied with each other


@dataclass(frozen=True)
class NetworkInputs:
    """The inputs of a network under construction, and the ways in which networks read them.

    Attributes
    ----------
    config : RankingConfig
    inputs : FeatureInputs
    codes, numbers : Keras tensors, shapes (n, n_codes) and (n, n_numbers)
    shown : Keras tensor, shape (n, n_codes)
        The codes less the ids that ``id_dropout`` hides in training, drawn once a network.
    """

    config: RankingConfig
    inputs: FeatureInputs
    codes: Any
    numbers: Any
    shown: Any

    @classmethod
    def of(cls, config: RankingConfig, inputs: FeatureInputs) -> "NetworkInputs":
        """Begin a network."""
        codes = keras.Input((len(inputs.offsets),), dtype="int32", name="categories")
        numbers = keras.Input((len(inputs.numbers),), dtype="float32", name="numbers")
        rates = config.id_dropout * _codes_of(IDS, inputs)
        return cls(config, inputs, codes, numbers, HiddenIds(rates, name="shown")(codes))

    def vectors(self, stddev: float | None = None, name: str = "embeddings"):
        """Return a vector for each code: (n, n_codes, dim). Each name is a set of tables."""
        return self._tables(stddev, name)(self.shown)

    def vectors_and_candidate(self):
        """Return a vector for each code, and the candidate's: (n, n_codes, dim) and (n, dim).

        ``id_dropout`` hides the candidate in the first, never in the second. Both read one table.
        """
        tables, (item, _) = self._tables(), self.codes_of_item_and_history()
        return tables(self.shown), tables(self.codes[:, item], only=item)[:, 0]

    def _tables(self, stddev: float | None = None, name: str = "embeddings"):
        frozen = self.config.frozen
        frozen = (*frozen, HISTORY_FIELD) if ITEM in frozen else frozen
        return EmbeddingTables(
            self.inputs.offsets,
            sum(self.inputs.sizes),
            self.config.embedding_dim,
            stddev,
            frozen=_codes_of(frozen, self.inputs),
            l2=self.config.embedding_l2,
            name=name,
        )

    def weights(self):
        """Return a weight for each code, initially 0: (n, n_codes, 1).

        An item has two weights: one as the candidate, another one as a liked item.
        """
        inputs = self.inputs
        tables = EmbeddingTables(
            inputs.weight_offsets,
            inputs.n_weights,
            1,
            stddev=0.0,
            l2=self.config.embedding_l2,
            name="first_order",
        )
        return tables(self.shown)

    def pooled(self, vectors, history: bool = True):
        """Return a vector for each field, that of the history on demand: (n, n_fields, dim)."""
        fields = [f for f in self.inputs.fields if history or f.name != HISTORY_FIELD]
        return FieldMeans([(f.codes.start, f.codes.stop) for f in fields])(vectors, self.codes)

    def factors(self):
        """Return a vector for each field and each number: (n, n_fields + n_numbers, dim).

        They are initially close to 0, and so are their products: a factorisation machine begins
        as a linear model.
        """
        pooled = self.pooled(self.vectors(stddev=SMALL_STDDEV))
        if not self.inputs.numbers:
            return pooled
        dim = self.config.embedding_dim
        scaled = ScaledVectors(dim, SMALL_STDDEV, name="number_vectors")(self.numbers)
        return layers.Concatenate(axis=1)([pooled, scaled])

    def concatenated(self, vectors, history: bool = True):
        """Return all fields' vectors and the plain numbers: (n, n_fields * dim + n_numbers)."""
        flat = layers.Flatten()(self.pooled(vectors, history))
        return layers.Concatenate()([flat, self.numbers])

    def first_order(self):
        """Return the linear part, a weight for each category and number, and a bias: (n, 1)."""
        weights = self.pooled(self.weights())  # (n, n_fields, 1)
        terms = layers.Concatenate()([layers.Flatten()(weights), self.numbers])
        return LinearTerms(len(self.inputs.fields), name="linear")(terms)

    def history(self, vectors):
        """Return the liked items' vectors, and which of them are known, the latest like first.

        Shapes (n, length, dim) and (n, length).
        """
        _, liked = self.codes_of_item_and_history()
        return vectors[:, liked], self.codes[:, liked] > 0

    def codes_of_item_and_history(self) -> tuple[slice, slice]:
        """Return the columns of codes of the candidate and of the liked items."""
        codes = {field.name: field.codes for field in self.inputs.fields}
        return codes[ITEM], codes[HISTORY_FIELD]

    def hidden(self, x):
        """Return the output of the configuration's ReLU layers: (n, hidden[-1])."""
        if self.config.input_dropout:
            x = layers.Dropout(self.config.input_dropout)(x)
        for depth, units in enumerate(self.config.hidden, start=1):
            x = layers.Dense(units, activation="relu", name=f"hidden_{depth}")(x)
            if self.config.dropout:
                x = layers.Dropout(self.config.dropout)(x)
        return x

    def model(self, logit, name: str):
        """Return the Keras model whose output is the probability of a like: (n, 1)."""
        like = layers.Activation("sigmoid")(logit)
        return keras.Model([self.codes, self.numbers], like, name=name)


def _codes_of(fields: Collection[str], inputs: FeatureInputs) -> np.ndarray:
    """Return which columns of codes belong to some fields: bool, (n_codes,)."""
    chosen = np.zeros(len(inputs.offsets), bool)
    for field in inputs.fields:
        chosen[field.codes] = field.name in fields
    return chosen
