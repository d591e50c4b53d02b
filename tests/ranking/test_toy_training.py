"""Training on a toy follows the gradient that Keras' own loop follows."""

import numpy as np
import pytest

from recsys_lib.keras_backend import load_keras, seed_everything
from recsys_lib.ranking.toy_training import train_on_toy


def network(keras):
    seed_everything(1)
    x = keras.Input((2,))
    y = keras.Input((1,))
    both = keras.layers.Concatenate()([x, y])
    return keras.Model([x, y], keras.layers.Dense(1, activation="sigmoid")(both))


def test_steps_are_those_of_keras_fit_on_one_batch():
    keras = load_keras()
    rng = np.random.default_rng(0)
    inputs = [
        rng.normal(size=(50, 2)).astype("float32"),
        rng.normal(size=(50, 1)).astype("float32"),
    ]
    labels = inputs[0][:, 0] > 0
    mine, theirs = network(keras), network(keras)
    losses = train_on_toy(mine, inputs, labels, steps=5, learning_rate=0.1)
    theirs.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
    fitted = theirs.fit(
        inputs, labels[:, None].astype("float32"), batch_size=50, epochs=5, verbose=0
    )
    assert losses == pytest.approx(fitted.history["loss"], rel=1e-4)
    assert losses[-1] < losses[0]
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-5)
