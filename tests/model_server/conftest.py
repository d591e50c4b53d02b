"""Small models in TensorFlow Serving's layout, and a server of them: ours, or a real one.

``RECSYS_TF_SERVING`` names a ``tensorflow_model_server``; the protocol tests then run against it.
"""

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from recsys_lib.model_server import ModelServer, ServerConfig
from recsys_lib.ranking.export import METHODS, set_methods

REAL_SERVER = os.environ.get("RECSYS_TF_SERVING")
CONFIG = """
model_config_list {{
  config {{
    name: "half" base_path: "{base}/half" model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 122 versions: 123 }} }}
    version_labels {{ key: "stable" value: 122 }}
    version_labels {{ key: "canary" value: 123 }}
  }}
  config {{ name: "types" base_path: "{base}/types" model_platform: "tensorflow" }}
  config {{ name: "slow" base_path: "{base}/slow" model_platform: "tensorflow" }}
}}
"""


class Address(NamedTuple):
    """Where a server listens."""

    rest: str
    grpc: str


def save_half_plus(folder: Path, add: float) -> None:
    """x / 2 + add, as upstream's test model: predict on x, regress and classify on examples."""
    import tensorflow as tf

    module = tf.Module()
    module.half, module.add = tf.Variable(0.5), tf.Variable(float(add))

    def y(x):
        return module.half * x + module.add

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def predict(x):
        return {"y": y(x)}

    def from_examples(inputs):
        spec = {"x": tf.io.FixedLenFeature([1], tf.float32)}
        return y(tf.io.parse_example(inputs, spec)["x"])

    examples = [tf.TensorSpec([None], tf.string, name="inputs")]
    regress = tf.function(lambda inputs: {"outputs": from_examples(inputs)}, examples)
    classify = tf.function(lambda inputs: {"scores": from_examples(inputs)}, examples)
    module.calls = [predict, regress, classify]
    signatures = {
        "serving_default": predict,
        "regress_x_to_y": regress,
        "classify_x_to_y": classify,
    }
    tf.saved_model.save(module, str(folder), signatures)
    set_methods(folder, {f"{name}_x_to_y": method for name, method in METHODS.items()})


def save_types(folder: Path) -> None:
    """Give back every input, in columns of one number or text a row."""
    import tensorflow as tf

    module = tf.Module()
    dtypes = {
        "whole": tf.int64, "small": tf.int32, "real": tf.float64, "yes": tf.bool, "text": tf.string
    }  # fmt: skip

    @tf.function(input_signature=[{n: tf.TensorSpec([None], d, n) for n, d in dtypes.items()}])
    def echo(inputs):
        same = {f"{name}_out": tf.identity(value) for name, value in inputs.items()}
        return {**same, "raw_bytes": tf.identity(inputs["text"])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def sums(x):
        return {"total": tf.reduce_sum(x), "each": x}

    module.calls = [echo, sums]
    tf.saved_model.save(module, str(folder), {"serving_default": echo, "sums": sums})


def save_slow(folder: Path) -> None:
    """Take a number of steps, one after the other."""
    import tensorflow as tf

    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, "steps")])
    def walk(steps):
        (place,) = tf.while_loop(lambda i: i < steps[0], lambda i: [i + 1], [0])
        return {"steps": tf.fill(tf.shape(steps), place)}

    module.calls = [walk]
    tf.saved_model.save(module, str(folder), {"serving_default": walk})


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """The folder of all test models."""
    from recsys_lib.keras_backend import load_keras

    load_keras()
    base = tmp_path_factory.mktemp("models")
    save_half_plus(base / "half" / "00000122", add=3)
    save_half_plus(base / "half" / "00000123", add=2)
    save_types(base / "types" / "1")
    save_slow(base / "slow" / "1")
    (base / "models.config").write_text(CONFIG.format(base=base))
    return base


@pytest.fixture(scope="session")
def server(models):
    """Where a server of the test models listens."""
    if REAL_SERVER:
        with _real_server(models) as address:
            yield address
    else:
        config = ServerConfig(timeout_s=1.0, file_system_poll_wait_s=60)
        with ModelServer(models / "models.config", config) as ours:
            yield Address(ours.rest_url, ours.grpc_address)


class _real_server:
    def __init__(self, models: Path):
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            rest, grpc = one.getsockname()[1], other.getsockname()[1]
        self.address = Address(f"http://127.0.0.1:{rest}", f"127.0.0.1:{grpc}")
        self.command = [
            REAL_SERVER, f"--rest_api_port={rest}", f"--port={grpc}",
            f"--model_config_file={models / 'models.config'}",
            "--allow_version_labels_for_unavailable_models", "--rest_api_timeout_in_ms=1000",
        ]  # fmt: skip

    def __enter__(self) -> Address:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        for _ in range(300):
            try:
                requests.get(f"{self.address.rest}/v1/models/half", timeout=1)
                return self.address
            except requests.ConnectionError:
                time.sleep(0.1)
        raise TimeoutError(f"{REAL_SERVER} does not answer.")

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
