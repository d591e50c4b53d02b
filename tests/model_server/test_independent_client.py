"""Somebody else's client, ``ovmsclient``, in a process of its own: it brings its own messages."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

PYTHON = os.environ.get("RECSYS_OVMSCLIENT_PYTHON", sys.executable)
HERE = sys.executable != PYTHON or importlib.util.find_spec("ovmsclient") is not None
pytestmark = pytest.mark.skipif(
    not HERE,
    reason="ovmsclient is not installed: pip install ovmsclient, here or in an environment whose "
    "python RECSYS_OVMSCLIENT_PYTHON names",
)
SCRIPT = """
import json, sys
import numpy as np

kind, address = sys.argv[1:]
if kind == "grpc":
    from ovmsclient import make_grpc_client as make
else:
    from ovmsclient import make_http_client as make
client = make(address)
x = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
told = {  # this client always names a version: its own server takes 0 for the latest
    "123": client.predict({"x": x}, "half", 123).tolist(),
    "122": client.predict({"x": x}, "half", 122).tolist(),
    "states": {
        str(k): v["state"]
        for n in (122, 123)
        for k, v in client.get_model_status("half", n).items()
    },
}
try:
    client.predict({"x": x}, "no such model", 1)
except Exception as error:
    told["unknown"] = type(error).__name__
try:
    client.predict({"x": np.array([b"text"])}, "half", 123)
except Exception as error:
    told["wrong type"] = type(error).__name__
print(json.dumps(told))
"""


@pytest.mark.parametrize("kind", ["grpc", "rest"])
def test_it_gets_predictions_states_and_errors(server, kind):
    address = server.grpc if kind == "grpc" else server.rest.removeprefix("http://")
    done = subprocess.run(
        [PYTHON, "-c", SCRIPT, kind, address], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "123": [[2.5, 3.0], [3.5, 4.0]],
        "122": [[3.5, 4.0], [4.5, 5.0]],
        "states": {"122": "AVAILABLE", "123": "AVAILABLE"},
        "unknown": "ModelNotFoundError",
        "wrong type": "InvalidInputError",
    }
