"""The commands, from training to a served answer and back."""

import os
import re
import subprocess
import sys
import time

import pytest
import requests
from made_samples import make_samples
from typer.testing import CliRunner

from recsys_lib.cli import app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models-cli")
    samples = make_samples(600)
    samples.to_parquet(folder / "samples.parquet")
    return folder


def run(*arguments) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_train_add_promote_serve_roll_back(here):
    samples, registry = here / "samples.parquet", here / "registry"
    small = ["--epochs", "1", "--embedding-dim", "2", "--set", "hidden=[4]"]
    for seed in (1, 2):
        out = here / f"model{seed}"
        run("train", "embedding_mlp", "--samples", samples, "--out", out, "--seed", seed, *small)
        told = run("models", "add", "ranker", out, "--samples", samples, "--registry", registry)
        assert f"version {seed} of ranker" in told
        assert "600 samples differ by at most" in told
    run("models", "promote", "ranker", 1, "--registry", registry)
    run("models", "promote", "ranker", 2, "--force", "--registry", registry)
    assert "serves" in run("models", "list", "--registry", registry)
    assert '"code_revision"' in run("models", "show", "ranker", 2, "--registry", registry)

    command = [sys.executable, "-m", "recsys_lib", "models", "serve", "--registry", str(registry)]
    command += ["--rest-api-port", "0", "--port", "0", "--poll-wait-s", "0.1"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            address = re.search(r"REST at (\S+),", server.stdout.readline())[1]
            assert served(address) == [2]
            run("models", "rollback", "ranker", "--registry", registry)
            end = time.monotonic() + 30
            while served(address) != [1]:
                assert time.monotonic() < end
                time.sleep(0.1)
        finally:
            server.terminate()  # SIGINT is ignored by what a shell started in the background
            server.wait(30)


def served(address) -> list[int]:
    states = requests.get(f"{address}/ranker", timeout=10).json()["model_version_status"]
    return [int(each["version"]) for each in states if each["state"] == "AVAILABLE"]
