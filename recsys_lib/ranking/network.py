"""What every ranking network starts and ends with. Importing this module imports TensorFlow."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys_lib.ranking.config import IDS, RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.layers import EmbeddingTables, Pool, ScaledVectors, keras
from recsys_lib.schema import ITEM

layers = keras.layers
SMALL = 0.01  # spread at the start of vectors that are multiplied with each other


@dataclass(frozen=True)
class NetworkInputs:
    """The inputs of a network under construction, and ways to look at them.

    Attributes
    ----------
    config : RankingConfig
    inputs : FeatureInputs
    codes, numbers : Keras tensors, shapes (n, n_codes) and (n, n_numbers)
    """

    config: RankingConfig
    inputs: FeatureInputs
    codes: Any
    numbers: Any

    @classmethod
    def of(cls, config: RankingConfig, inputs: FeatureInputs) -> "NetworkInputs":
        """Begin a network."""
        return cls(
            config,
            inputs,
            keras.Input((len(inputs.offsets),), dtype="int32", name="categories"),
            keras.Input((len(inputs.numbers),), dtype="float32", name="numbers"),
        )

    def vectors(self, stddev: float | None = None, name: str = "embeddings"):
        """Return a vector for each code: (n, n_codes, dim); one look-up table a name."""
        return self._lookup(self.config.embedding_dim, stddev, name, self.config.frozen)

    def _lookup(self, dim: int, stddev: float | None, name: str, frozen: tuple[str, ...]):
        config = self.config
        lookup = EmbeddingTables(
            self.inputs.offsets,
            sum(self.inputs.sizes),
            dim,
            stddev,
            dropped=self._codes_of(IDS),
            dropout=config.id_dropout,
            frozen=self._codes_of((*frozen, "history") if ITEM in frozen else frozen),
            l2=config.embedding_l2,
            name=name,
        )
        return lookup(self.codes)

    def _codes_of(self, fields: tuple[str, ...]) -> np.ndarray:
        """Tell which columns of codes belong to some fields: bool, (n_codes,)."""
        chosen = np.zeros(len(self.inputs.offsets), bool)
        for field in self.inputs.fields:
            chosen[field.codes] = field.name in fields
        return chosen

    def pooled(self, vectors):
        """Return a vector for each field: (n, n_fields, dim)."""
        return Pool([(f.codes.start, f.codes.stop) for f in self.inputs.fields])(
            vectors, self.codes
        )

    def factors(self):
        """Return a vector for each field and each number: (n, n_fields + n_numbers, dim).

        They start near 0, so that products of them do: a factorisation machine begins as a
        linear model.
        """
        pooled = self.pooled(self.vectors(stddev=SMALL))
        if not self.inputs.numbers:
            return pooled
        dim = self.config.embedding_dim
        scaled = ScaledVectors(dim, SMALL, name="number_vectors")(self.numbers)
        return layers.Concatenate(axis=1)([pooled, scaled])

    def concatenated(self, vectors):
        """Return all fields' vectors and the plain numbers: (n, n_fields * dim + n_numbers)."""
        flat = layers.Flatten()(self.pooled(vectors))
        return layers.Concatenate(name="together")([flat, self.numbers])

    def weights(self):
        """Return a weight for each code, 0 at the start: (n, n_codes, 1)."""
        return self._lookup(1, 0.0, "first_order", frozen=())

    def first_order(self):
        """Return the linear part: a weight for each category and number, and a bias: (n, 1)."""
        weights = self.pooled(self.weights())  # (n, n_fields, 1)
        terms = layers.Concatenate()([layers.Flatten()(weights), self.numbers])
        return Linear(len(self.inputs.fields), name="linear")(terms)

    def hidden(self, x, name: str = "hidden"):
        """Return what the relu layers of the configuration make of x: (n, hidden[-1])."""
        if self.config.input_dropout:
            x = layers.Dropout(self.config.input_dropout)(x)
        for depth, units in enumerate(self.config.hidden, start=1):
            x = layers.Dense(units, activation="relu", name=f"{name}_{depth}")(x)
            if self.config.dropout:
                x = layers.Dropout(self.config.dropout)(x)
        return x

    def end(self, logit, name: str):
        """Return the model that gives the probability of a like: (n, 1)."""
        like = layers.Activation("sigmoid")(logit)
        return keras.Model([self.codes, self.numbers], like, name=name)


class Linear(layers.Layer):
    """Adds up the weights of categories and the weighted numbers, and a bias: (n, f + m) to (n, 1).

    Parameters
    ----------
    n_ready : int
        So many columns on the left are terms already; those on the right get a weight each.
    """

    def __init__(self, n_ready: int, **kwargs):
        super().__init__(**kwargs)
        self.n_ready = n_ready

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1] - self.n_ready, 1), initializer="zeros"
        )
        self.bias = self.add_weight(name="bias", shape=(1,), initializer="zeros")

    def call(self, terms):
        ready = keras.ops.sum(terms[:, : self.n_ready], axis=1, keepdims=True)
        return ready + keras.ops.matmul(terms[:, self.n_ready :], self.kernel) + self.bias
