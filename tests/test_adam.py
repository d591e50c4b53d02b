"""Adam over one vector: Keras' own to the last bit, and the paper's where rows are looked up."""

import numpy as np
import pytest

from recsys_lib.adam import Adam
from recsys_lib.keras_backend import load_keras, load_tensorflow

SHAPES = ((7, 3), (3,), (5, 2, 2))


def by_the_paper(start, gradients, rate):
    """Return the weight after these steps: algorithm 1 of Kingma and Ba, in double precision."""
    weight, mean, square = start.astype(np.float64), 0.0, 0.0
    for t, gradient in enumerate(gradients, start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        size = np.sqrt(square / (1 - 0.999**t))
        weight = weight - rate * mean / (1 - 0.9**t) / (size + 1e-7 / np.sqrt(1 - 0.999**t))
    return weight


@pytest.mark.parametrize("rate", [1e-3, 0.05])
def test_it_is_keras_adam_to_the_last_bit(rate):
    keras, tf = load_keras(), load_tensorflow()
    random = np.random.default_rng(0)
    start = [random.normal(size=shape).astype(np.float32) for shape in SHAPES]
    ours, theirs = ([keras.Variable(each) for each in start] for _ in range(2))
    adam, oracle = Adam(ours, rate), keras.optimizers.Adam(rate)
    oracle.build(theirs)

    @tf.function
    def both(gradients):
        adam.step(adam.flat(gradients))
        oracle.apply(gradients)

    for _ in range(50):
        both([tf.constant(random.normal(size=shape), tf.float32) for shape in SHAPES])
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_the_gradients_of_a_row_are_added_before_they_are_squared():
    """Keras squares first, so that a row that a batch looks up often moves by another length."""
    keras, tf = load_keras(), load_tensorflow()
    table = keras.Variable(np.ones((4, 2), np.float32))
    adam, rows = Adam([table], 0.1), np.array([1, 3, 1, 1])
    gradients = []
    for step in range(3):
        target = np.float32(step - 1)
        gradient = np.zeros((4, 2))
        np.add.at(gradient, rows, 2 * (np.asarray(table)[rows] - target))
        gradients.append(gradient)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((tf.gather(table.value, rows) - target) ** 2)
        (of_rows,) = tape.gradient(loss, [table.value])
        assert isinstance(of_rows, tf.IndexedSlices)
        adam.step(adam.flat([of_rows]))
    expected = by_the_paper(np.ones((4, 2)), gradients, 0.1)
    np.testing.assert_allclose(table, expected, rtol=1e-5)
    assert np.ptp(np.asarray(table)[[0, 2]]) == 0


def test_a_weight_that_the_loss_does_not_depend_on_stays():
    keras, tf = load_keras(), load_tensorflow()
    weights = [keras.Variable(np.ones(2, np.float32)) for _ in range(2)]
    adam = Adam(weights, 0.1)
    adam.step(adam.flat([None, tf.constant([1.0, -1.0])]))
    np.testing.assert_array_equal(weights[0], [1, 1])
    np.testing.assert_allclose(weights[1], [0.9, 1.1], rtol=1e-5)
