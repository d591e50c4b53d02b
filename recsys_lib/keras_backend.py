"""Keras on TensorFlow: imported late and quietly, and set to give the same numbers every time."""

import contextlib
import functools
import gc
import json
import os
import sys

from recsys_lib.native_log import native_stderr_to_log


@functools.cache
def load_keras():
    """Import and return Keras on TensorFlow.

    What TensorFlow prints at import and at its first operation goes to ``native.log``. Operations
    are made deterministic, so that the seed determines a training run completely.

    Where TensorFlow's variable ``TF_CONFIG`` describes a cluster, everything that follows runs
    under ``MultiWorkerMirroredStrategy``: the same command, started on each machine, trains one
    model on all of them. Each worker has a JSON text of its own, such as ``{"cluster": {"worker":
    ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}``. TensorFlow requires
    this to be done before its first operation.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with native_stderr_to_log(), _never_collected(), _without_extras():
        import keras
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        # Each small model compiles a step of its own, and TensorFlow would warn about that.
        tf.get_logger().setLevel("ERROR")
        if len(_workers()) > 1:
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
            tf.distribute.experimental_set_strategy(strategy)
        tf.zeros(1).numpy()
    return keras


def load_tensorflow():
    """Import and return TensorFlow, as quietly as :func:`load_keras` does.

    What needs only its messages calls this too: they import all of it.
    """
    load_keras()
    import tensorflow

    return tensorflow


@contextlib.contextmanager
def _never_collected():
    """Keep what is imported here from the collector of garbage.

    TensorFlow's modules are a million objects that stay to the end. To walk through them again and
    again, at the end too, takes nearly as long as the import.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
    gc.freeze()


@contextlib.contextmanager
def _without_extras():
    """Let Keras be imported as where scikit-learn and matplotlib are not installed.

    Keras loads them for wrappers and galleries that nothing here uses, which is a quarter of the
    time of its import.
    """
    extras = {"sklearn", "matplotlib"} - sys.modules.keys()
    sys.modules.update(dict.fromkeys(extras))  # with None there, an import fails
    try:
        yield
    finally:
        for name in extras:
            del sys.modules[name]


def is_chief() -> bool:
    """Tell whether this process writes the results: it is alone, or the first worker."""
    return len(_workers()) < 2 or _cluster()["task"]["index"] == 0


def _workers() -> list[str]:
    return _cluster().get("cluster", {}).get("worker", [])


def _cluster() -> dict:
    return json.loads(os.environ.get("TF_CONFIG", "{}"))


def seed_everything(seed: int) -> None:
    """Seed Python, numpy's global state and TensorFlow: Keras draws from all three."""
    load_keras().utils.set_random_seed(seed)
