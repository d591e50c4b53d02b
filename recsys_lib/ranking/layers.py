"""Keras layers that the ranking models share. Importing this module imports TensorFlow."""

import numpy as np

from recsys_lib.ranking.backend import load_keras

keras = load_keras()


class ColumnEmbeddings(keras.layers.Layer):
    """A table of vectors for each categorical column, looked up in one gather.

    The tables lie one below the other in a single matrix; column c starts at row
    ``sum(sizes[:c])``. Code 0 (unknown or missing) gives the zero vector, as in the notes'
    ``embedding_column``.

    Parameters
    ----------
    sizes : sequence of int
        Codes of each column, the unknown one included.
    embedding_dim : int
    dropped : sequence of int
        Columns whose code becomes 0 in training with probability ``dropout``, so that the
        network learns to do without them.
    dropout : float
        In [0, 1).
    """

    def __init__(self, sizes, embedding_dim: int, dropped=(), dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        self.embedding_dim = embedding_dim
        # Probability of losing the code, column by column.
        self.loss_rates = np.zeros(len(sizes), np.float32)
        self.loss_rates[list(dropped)] = dropout
        self.seeds = keras.random.SeedGenerator()

    def build(self, input_shape):
        self.table = self.add_weight(
            name="table",
            shape=(int(self.offsets[-1]), self.embedding_dim),
            # The initial spread of the notes' embedding_column.
            initializer=keras.initializers.TruncatedNormal(stddev=self.embedding_dim**-0.5),
        )

    def call(self, codes, training=False):  # (n, columns)
        known = codes > 0
        if training and self.loss_rates.any():
            draw = keras.random.uniform(keras.ops.shape(codes), seed=self.seeds)
            known = keras.ops.logical_and(known, draw >= self.loss_rates)
        vectors = keras.ops.take(self.table, codes + self.offsets[:-1], axis=0)
        vectors = vectors * keras.ops.cast(known, vectors.dtype)[:, :, None]
        return keras.ops.reshape(vectors, (-1, len(self.loss_rates) * self.embedding_dim))
