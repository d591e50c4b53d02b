"""Adam over all weights of a network at once."""

from collections.abc import Sequence

import numpy as np

from recsys_lib.keras_backend import load_tensorflow

BETA_1, BETA_2 = 0.9, 0.999  # what a step leaves of the two running means, as in the paper
EPSILON = 1e-7


class Adam:
    """Adam (Kingma and Ba: Adam, a method for stochastic optimization, 2015) over one long vector.

    Given gradients of whole tables, ``keras.optimizers.Adam`` visits one weight after another and
    ends with the same weights, to the last bit. A graph with a single update is traced in about two
    thirds of the time, which is most of the time of a small training.

    Parameters
    ----------
    weights : sequence of keras.Variable
        All float32.
    learning_rate : float

    Attributes
    ----------
    variables : list of tf.Variable
        The number of steps so far, and for each single weight the running mean of its gradient and
        of the gradient's square.
    """

    def __init__(self, weights: Sequence, learning_rate: float):
        tf = load_tensorflow()
        self.weights, self.learning_rate = list(weights), learning_rate
        self.sizes = [int(np.prod(weight.shape)) for weight in self.weights]
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.mean, self.square = (
            tf.Variable(tf.zeros(sum(self.sizes)), trainable=False) for _ in range(2)
        )
        self.variables = [self.steps, self.mean, self.square]

    def flat(self, gradients: Sequence):
        """Return the gradients of all weights as one tensor, shape (n,).

        The gradient of looked-up rows becomes one of the whole table, since Adam moves every row at
        every step; a weight that the loss does not depend on has the gradient 0.
        """
        tf = load_tensorflow()
        of_all = [
            tf.zeros(size) if gradient is None else tf.reshape(tf.convert_to_tensor(gradient), [-1])
            for gradient, size in zip(gradients, self.sizes, strict=True)
        ]
        return tf.concat(of_all, axis=0)

    def step(self, gradient) -> None:
        """Move all weights against a gradient that :meth:`flat` has returned."""
        tf = load_tensorflow()
        t = tf.cast(self.steps.assign_add(1), tf.float32)
        rate = self.learning_rate * tf.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        mean = self.mean.assign_add((gradient - self.mean) * (1 - BETA_1))
        square = self.square.assign_add((gradient**2 - self.square) * (1 - BETA_2))
        moves = tf.split(mean * rate / (tf.sqrt(square) + EPSILON), self.sizes)
        for weight, move in zip(self.weights, moves, strict=True):
            weight.value.assign_sub(tf.reshape(move, weight.shape))
