"""Keras layers that the ranking models share. Importing this module imports TensorFlow."""

import numpy as np

from recsys_lib.keras_backend import load_keras

keras = load_keras()
ops = keras.ops


class HiddenIds(keras.layers.Layer):
    """Codes of which training replaces some by 0, the unknown one: (n, n_codes) to (n, n_codes).

    Whatever a network looks up in the result, vectors and weights, is missing together.

    Parameters
    ----------
    rates : float array, shape (n_codes,)
        Probability of losing the code, column by column, in [0, 1).
    """

    def __init__(self, rates, **kwargs):
        super().__init__(**kwargs)
        self.rates = np.asarray(rates, np.float32)
        self.seeds = keras.random.SeedGenerator()

    def call(self, codes, training=False):
        if not (training and self.rates.any()):
            return codes
        draw = keras.random.uniform(ops.shape(codes), seed=self.seeds)
        return ops.where(draw >= self.rates, codes, 0)


class EmbeddingTables(keras.layers.Layer):
    """Vectors of coded categories, all looked up in one gather.

    The tables of all columns lie one below the other in a single matrix. Code 0 (unknown or
    missing) gives the zero vector, as it does in the notes' ``embedding_column``.

    Parameters
    ----------
    offsets : int array, shape (n_codes,)
        Row at which the table of each column of codes starts.
    n_rows : int
        Number of rows of all tables together.
    dim : int
        Length of a vector.
    stddev : float, optional
        Standard deviation of the initial vectors. By default it is ``dim ** -0.5``, as in the
        notes' ``embedding_column``.
    frozen : bool array, shape (n_codes,), optional
        Columns whose vectors are not trained.
    l2 : float
        Weight, in the loss, of the mean over samples of their vectors' squared length.
    """

    def __init__(
        self,
        offsets,
        n_rows: int,
        dim: int,
        stddev: float | None = None,
        frozen=None,
        l2=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.offsets, self.n_rows, self.dim = np.asarray(offsets), n_rows, dim
        self.stddev = dim**-0.5 if stddev is None else stddev
        self.frozen = np.zeros(len(self.offsets), bool) if frozen is None else np.asarray(frozen)
        self.l2 = l2

    def build(self, input_shape):
        self.table = self.add_weight(
            name="table",
            shape=(self.n_rows, self.dim),
            initializer=keras.initializers.TruncatedNormal(stddev=self.stddev),
        )

    def call(self, codes, only=slice(None), training=False):
        """Look up all columns of codes, (n, n_codes), or those of the slice ``only``.

        A part of the columns is looked up beside all of them, so it is not charged again.
        """
        vectors = ops.take(self.table, codes + self.offsets[only], axis=0)
        vectors = vectors * ops.cast(codes > 0, vectors.dtype)[:, :, None]  # (n, n_codes, dim)
        if self.frozen.any():
            vectors = ops.where(self.frozen[only, None], ops.stop_gradient(vectors), vectors)
        if self.l2 and training and only == slice(None):
            self.add_loss(self.l2 * ops.mean(ops.sum(ops.square(vectors), axis=(1, 2))))
        return vectors


class ScaledVectors(keras.layers.Layer):
    """A vector for each number, multiplied by the number, as factorisation machines take numbers.

    Parameters
    ----------
    dim : int
        Length of a vector.
    stddev : float
        Standard deviation of the initial vectors.
    """

    def __init__(self, dim: int, stddev: float, **kwargs):
        super().__init__(**kwargs)
        self.dim, self.stddev = dim, stddev

    def build(self, input_shape):
        self.table = self.add_weight(
            name="table",
            shape=(input_shape[-1], self.dim),
            initializer=keras.initializers.TruncatedNormal(stddev=self.stddev),
        )

    def call(self, numbers):  # (n, n_numbers)
        return numbers[:, :, None] * self.table  # (n, n_numbers, dim)


class FieldMeans(keras.layers.Layer):
    """One vector for each field: a category's own, or the mean of the known members of a list.

    Parameters
    ----------
    spans : sequence of (int, int)
        For each field, its first column of codes and the one past its last, in the order of the
        columns.
    """

    def __init__(self, spans, **kwargs):
        super().__init__(**kwargs)
        # Neighbouring categories stay in one slice, which is fewer operations.
        self.slices: list[tuple[int, int, bool]] = []
        for start, stop in spans:
            is_list = stop - start > 1
            if not is_list and self.slices and not self.slices[-1][2]:
                start = self.slices.pop()[0]
            self.slices.append((start, stop, is_list))

    def call(self, vectors, codes):  # (n, n_codes, dim), (n, n_codes)
        # Not vectors[:, start:stop]: the gradient of each slice is an array as large as all
        # vectors, mostly zeros; that of all parts of a split is one.
        cuts = {place for start, stop, _ in self.slices for place in (start, stop)}
        cuts = sorted(cuts - {0, vectors.shape[1]})
        split = ops.split(vectors, cuts, axis=1) if cuts else [vectors]
        parts = dict(zip([0, *cuts], split, strict=True))
        means = []
        for start, stop, is_list in self.slices:
            field = parts[start]  # (n, width, dim)
            if is_list:
                known = ops.sum(ops.cast(codes[:, start:stop] > 0, field.dtype), axis=1)
                field = ops.sum(field, axis=1) / ops.maximum(known, 1.0)[:, None]
                field = field[:, None]
            means.append(field)
        if len(means) == 1:
            return means[0]
        return ops.concatenate(means, axis=1)  # (n, n_fields, dim)


class LinearTerms(keras.layers.Layer):
    """The sum of ready terms, of weighted numbers, and of a bias: (n, t + m) to (n, 1).

    Parameters
    ----------
    n_terms : int
        Number of columns on the left that are added up as they are. Each column on the right gets
        a weight.
    """

    def __init__(self, n_terms: int, **kwargs):
        super().__init__(**kwargs)
        self.n_terms = n_terms

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1] - self.n_terms, 1), initializer="zeros"
        )
        self.bias = self.add_weight(name="bias", shape=(1,), initializer="zeros")

    def call(self, x):
        terms = ops.sum(x[:, : self.n_terms], axis=1, keepdims=True)
        return terms + ops.matmul(x[:, self.n_terms :], self.kernel) + self.bias


class PairwiseInteractions(keras.layers.Layer):
    """The sum, over all pairs of fields, of the product of their vectors: (n, f, dim) to (n, dim).

    It takes time linear in the number of fields, as half of the square of the sum less the sum of
    the squares (Rendle: Factorization Machines, 2010, lemma 3.1). A factorisation machine adds up
    the components of the result.
    """

    def call(self, vectors):
        return 0.5 * (ops.square(ops.sum(vectors, axis=1)) - ops.sum(ops.square(vectors), axis=1))


class FeatureCross(keras.layers.Layer):
    """One cross layer of DCN-v2, ``x0 * (W x + b) + x`` (Wang et al., 2021)."""

    def build(self, x0_shape, x_shape):
        width = x_shape[-1]
        self.kernel = self.add_weight(name="kernel", shape=(width, width))
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")

    def call(self, x0, x):  # (n, width) each
        return x0 * (ops.matmul(x, self.kernel) + self.bias) + x


class ResidualUnit(keras.layers.Layer):
    """Two layers with a shortcut around them (Shan et al.: Deep Crossing, 2016).

    Parameters
    ----------
    units : int
        Width of the inner layer. The outer one is as wide as the input.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.inner = keras.layers.Dense(self.units, activation="relu", name="inner")
        self.outer = keras.layers.Dense(input_shape[-1], name="outer")
        self.inner.build(input_shape)
        self.outer.build((*input_shape[:-1], self.units))

    def call(self, x):  # (n, width)
        return ops.relu(x + self.outer(self.inner(x)))
