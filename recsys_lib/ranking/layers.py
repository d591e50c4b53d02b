"""Keras layers that the ranking models share. Importing this module imports TensorFlow."""

import numpy as np

from recsys_lib.keras_backend import load_keras

keras = load_keras()
ops = keras.ops


class EmbeddingTables(keras.layers.Layer):
    """Vectors of coded categories, all looked up in one gather.

    The tables lie one below the other in a single matrix. Code 0 (unknown or missing) gives the
    zero vector, as in the notes' ``embedding_column``.

    Parameters
    ----------
    offsets : int array, shape (n_codes,)
        Row at which each column's table starts.
    n_rows : int
        Rows of all tables together.
    dim : int
    stddev : float, optional
        Standard deviation of the vectors at the start.
    dropped : bool array, shape (n_codes,), optional
        Columns whose code becomes 0 in training with probability ``dropout``, so that the
        network learns to do without them.
    dropout : float
        In [0, 1).
    frozen : bool array, shape (n_codes,), optional
        Columns whose vectors are not trained.
    l2 : float
        Weight in the loss of the mean squared length of a sample's vectors.
    """

    def __init__(
        self,
        offsets,
        n_rows: int,
        dim: int,
        stddev: float | None = None,
        dropped=None,
        dropout=0.0,
        frozen=None,
        l2=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.offsets, self.n_rows, self.dim = np.asarray(offsets), n_rows, dim
        # By default the initial spread of the notes' embedding_column.
        self.stddev = dim**-0.5 if stddev is None else stddev
        nothing = np.zeros(len(self.offsets), bool)
        # Probability of losing the code, column by column.
        self.loss_rates = np.where(nothing if dropped is None else dropped, dropout, 0.0)
        self.frozen = nothing if frozen is None else np.asarray(frozen)
        self.l2 = l2
        self.seeds = keras.random.SeedGenerator()

    def build(self, input_shape):
        self.table = self.add_weight(
            name="table",
            shape=(self.n_rows, self.dim),
            initializer=keras.initializers.TruncatedNormal(stddev=self.stddev),
        )

    def call(self, codes, training=False):  # (n, n_codes)
        known = codes > 0
        if training and self.loss_rates.any():
            draw = keras.random.uniform(ops.shape(codes), seed=self.seeds)
            known = ops.logical_and(known, draw >= self.loss_rates.astype("float32"))
        vectors = ops.take(self.table, codes + self.offsets, axis=0)
        vectors = vectors * ops.cast(known, vectors.dtype)[:, :, None]  # (n, n_codes, dim)
        if self.frozen.any():
            vectors = ops.where(self.frozen[:, None], ops.stop_gradient(vectors), vectors)
        if self.l2 and training:
            self.add_loss(self.l2 * ops.mean(ops.sum(ops.square(vectors), axis=(1, 2))))
        return vectors


class ScaledVectors(keras.layers.Layer):
    """A vector for each number, times the number: how factorisation machines take numbers."""

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


class Pool(keras.layers.Layer):
    """One vector a field: a category's own, the mean of the known ones of a bag or a history.

    Parameters
    ----------
    spans : sequence of (int, int)
        First and last-but-one column of codes of each field, in the order of the columns.
    """

    def __init__(self, spans, **kwargs):
        super().__init__(**kwargs)
        # Neighbouring categories stay together: the gradient of each slice is an array as large
        # as all vectors.
        self.pieces: list[tuple[int, int, bool]] = []
        for start, stop in spans:
            many = stop - start > 1
            if not many and self.pieces and not self.pieces[-1][2]:
                start = self.pieces.pop()[0]
            self.pieces.append((start, stop, many))

    def call(self, vectors, codes):  # (n, n_codes, dim), (n, n_codes)
        if len(self.pieces) == 1 and not self.pieces[0][2]:
            return vectors
        pooled = []
        for start, stop, many in self.pieces:
            part = vectors[:, start:stop]  # (n, width, dim)
            if many:
                known = ops.sum(ops.cast(codes[:, start:stop] > 0, part.dtype), axis=1)
                part = ops.sum(part, axis=1) / ops.maximum(known, 1.0)[:, None]
                part = part[:, None]
            pooled.append(part)
        return ops.concatenate(pooled, axis=1)  # (n, n_fields, dim)


class PairwiseInteractions(keras.layers.Layer):
    """The sum over all pairs of fields of the product of their vectors: (n, f, dim) to (n, dim).

    In time linear in the fields: half of (square of the sum - sum of the squares) (Rendle:
    Factorization Machines, 2010, lemma 3.1). A factorisation machine adds the result up.
    """

    def call(self, vectors):
        return 0.5 * (ops.square(ops.sum(vectors, axis=1)) - ops.sum(ops.square(vectors), axis=1))


class FeatureCross(keras.layers.Layer):
    """One cross layer of DCN-v2: ``x0 * (W x + b) + x`` (Wang et al., 2021)."""

    def build(self, x0_shape, x_shape):
        width = x_shape[-1]
        self.kernel = self.add_weight(name="kernel", shape=(width, width))
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")

    def call(self, x0, x):  # (n, width) each
        return x0 * (ops.matmul(x, self.kernel) + self.bias) + x


class ResidualUnit(keras.layers.Layer):
    """Two layers with a short cut around them (Shan et al.: Deep Crossing, 2016)."""

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


class TargetAttention(keras.layers.Layer):
    """How much each liked item matters for this one (Zhou et al.: Deep Interest Network, 2018).

    A small network sees the liked item, the candidate, their difference and their product, and
    gives one weight. Missing items get the weight 0.

    Parameters
    ----------
    units : int
        Of the small network's hidden layer.
    normalised : bool
        False as in DIN: the weights are any numbers, and their sum tells how strong the interest
        is. True as in DIEN: a softmax over the history.
    """

    def __init__(self, units: int, normalised: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True  # it is told what is missing
        self.units, self.normalised = units, normalised

    def build(self, candidate_shape, history_shape, known_shape):
        dim = history_shape[-1]
        self.inner = keras.layers.Dense(self.units, activation="relu", name="inner")
        self.outer = keras.layers.Dense(1, name="outer")
        self.inner.build((None, None, 4 * dim))
        self.outer.build((None, None, self.units))

    def call(self, candidate, history, known):  # (n, dim), (n, length, dim), (n, length) bool
        asked = ops.broadcast_to(candidate[:, None], ops.shape(history))
        seen = ops.concatenate([history, asked, asked - history, asked * history], axis=-1)
        weight = self.outer(self.inner(seen))[:, :, 0]  # (n, length)
        there = ops.cast(known, weight.dtype)
        if not self.normalised:
            return weight * there
        # Low, not 0, before the softmax: a missing item's weight must not outgrow the known ones'.
        return ops.softmax(ops.where(known, weight, -1e9), axis=1) * there


class AUGRU(keras.layers.Layer):
    """A GRU whose update gate is scaled by attention (Zhou et al.: DIEN, 2019).

    ``h_t = (1 - a_t u_t) h_(t-1) + a_t u_t c_t``: an item of no interest leaves the state alone.
    Missing items do too. As in the paper, and in Keras' GRU that makes the interests, the reset
    gate acts on what the recurrent weights make of the state. Returns the last state.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True  # it is told what is missing
        self.units = units

    def build(self, sequence_shape, attention_shape, known_shape):
        dim = sequence_shape[-1]
        # Gates in the order update, reset, candidate.
        self.kernel = self.add_weight(name="kernel", shape=(dim, 3 * self.units))
        self.recurrent = self.add_weight(
            name="recurrent", shape=(self.units, 3 * self.units), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(3 * self.units,), initializer="zeros")

    def call(self, sequence, attention, known):  # (n, length, dim), (n, length), (n, length) bool
        inputs = ops.matmul(sequence, self.kernel) + self.bias  # (n, length, 3 units)
        rates = attention * ops.cast(known, attention.dtype)
        k = self.units
        state = ops.zeros_like(inputs[:, 0, :k])  # (n, units)
        for t in range(sequence.shape[1]):  # unrolled: histories are short
            x, h = inputs[:, t], ops.matmul(state, self.recurrent)  # (n, 3 units)
            gates = ops.sigmoid(x[:, : 2 * k] + h[:, : 2 * k])
            update, reset = ops.split(gates, 2, axis=1)
            candidate = ops.tanh(x[:, 2 * k :] + reset * h[:, 2 * k :])
            rate = rates[:, t : t + 1] * update
            state = (1 - rate) * state + rate * candidate
        return state


class NextItemLoss(keras.layers.Layer):
    """DIEN's auxiliary loss: an interest should tell the next liked item from a random one.

    Hands its first input on. In training it adds ``weight`` times the mean of
    ``-log s(h_t . e_(t+1)) - log(1 - s(h_t . n_(t+1)))`` over the steps that have a next item; n is
    what another sample of the batch liked at that place.
    """

    def __init__(self, weight: float, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True  # it is told what is missing
        self.weight = weight

    def call(
        self, interests, sequence, known, training=False
    ):  # (n, length, dim) twice, (n, length)
        if training:
            there = ops.logical_and(known[:, :-1], known[:, 1:])
            states, following = interests[:, :-1], sequence[:, 1:]
            others, others_known = ops.roll(following, 1, axis=0), ops.roll(known[:, 1:], 1, axis=0)
            loss = _mean_where(ops.softplus(-ops.sum(states * following, axis=-1)), there)
            both = ops.logical_and(there, others_known)
            loss += _mean_where(ops.softplus(ops.sum(states * others, axis=-1)), both)
            self.add_loss(self.weight * loss)
        return interests


def _mean_where(values, chosen):
    chosen = ops.cast(chosen, values.dtype)
    return ops.sum(values * chosen) / ops.maximum(ops.sum(chosen), 1.0)
