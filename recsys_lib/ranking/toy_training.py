"""Trains the small networks of notebooks 08 on a whole toy at once; notebook 07 writes the loop."""

import numpy as np


def train_on_toy(network, inputs, labels, steps: int = 300, learning_rate: float = 0.03):
    """Train a Keras network by Adam, every step on all rows.

    Parameters
    ----------
    network : Keras model
        Gives a probability for each row: (n, 1). It is trained in place. Losses that its layers
        add count as well.
    inputs : array, or list of arrays
        As the network takes them, n rows each.
    labels : array, shape (n,)
        0 or 1.
    steps : int
    learning_rate : float

    Returns
    -------
    float64 array, shape (steps,)
        Cross-entropy at each step, in nats.
    """
    from recsys_lib.adam import Adam
    from recsys_lib.keras_backend import load_keras, load_tensorflow

    keras, tf = load_keras(), load_tensorflow()
    adam = Adam(network.trainable_variables, learning_rate)
    inputs = tf.nest.map_structure(tf.convert_to_tensor, inputs)
    labels = tf.constant(np.asarray(labels, np.float32)[:, None])

    def step(n, losses):
        with tf.GradientTape() as tape:
            probability = network(inputs, training=True)
            loss = tf.reduce_mean(keras.losses.binary_crossentropy(labels, probability))
            total = loss + sum(network.losses)
        adam.step(adam.flat(tape.gradient(total, network.trainable_variables)))
        return n + 1, losses.write(n, loss)

    # All steps in one graph: a toy's step takes less time than its call from Python.
    @tf.function(autograph=False)
    def loop():
        losses = tf.TensorArray(tf.float32, size=steps)
        return tf.while_loop(lambda n, _: n < steps, step, (0, losses))[1].stack()

    return np.asarray(loop(), np.float64)
