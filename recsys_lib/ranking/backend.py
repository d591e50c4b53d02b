"""Keras on TensorFlow, imported late, quietly, and set to give the same numbers every time."""

import functools
import os

from recsys_lib.quiet import native_stderr_to_log


@functools.cache
def load_keras():
    """Import and return Keras on TensorFlow.

    What TensorFlow prints at import and at its first operation goes to ``native.log``.
    Operations are made deterministic, so that a seed decides all of a training run.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with native_stderr_to_log():
        import keras
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        # Each small model compiles its own step, which TensorFlow would warn about.
        tf.get_logger().setLevel("ERROR")
        tf.zeros(1).numpy()
    return keras


def seed_everything(seed: int) -> None:
    """Seed Python, numpy's global state and TensorFlow: Keras draws from all three."""
    load_keras().utils.set_random_seed(seed)
