"""The real command on the real notebooks: other parameters, the quick profile."""

import json
import os
import subprocess
import sys

import pytest

from recsys_lib import paths
from recsys_lib.experiments.metrics import MAX_METRICS

CHOSEN = ("03_item2vec", "06_lsh", "07_embedding_mlp")


@pytest.mark.notebook
@pytest.mark.slow
def test_some_notebooks_run_in_the_quick_profile_with_another_seed(ml_100k, tmp_path):
    outputs = tmp_path / "outputs"

    def recsys(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "recsys_lib", *arguments],
            cwd=tmp_path,
            env=os.environ
            | {"RECSYS_OUTPUTS_DIR": str(outputs), "RECSYS_DATA_DIR": str(ml_100k.path.parent)},
            capture_output=True,
            text=True,
            timeout=900,
        )

    command = ("run", *CHOSEN, "--profile", "quick", "-p", "seed=7")
    first = recsys(*command)
    assert first.returncode == 0, first.stdout + first.stderr
    described = json.loads((outputs / "latest" / "run.json").read_text())
    assert all(each["parameters"]["seed"] == 7 for each in described["notebooks"].values())
    metrics = json.loads(recsys("metrics", "--json").stdout)
    assert {name.partition(".")[0] for name in metrics} == set(CHOSEN)
    assert all({"value", "unit", "meaning"} <= set(each) for each in metrics.values())
    assert len(metrics) <= MAX_METRICS * len(CHOSEN)
    tables = recsys("metrics", "--tables").stdout
    assert all(f"{name}." in tables for name in CHOSEN)

    again = recsys(*command)
    assert "Nothing changed" in again.stdout


LABS = sorted(path.stem for path in paths.notebooks_dir().glob("[0-9]*_lab_*.ipynb"))


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize("lab", LABS)
def test_labs_run_in_the_quick_profile(lab, ml_100k, tmp_path):
    command = [sys.executable, "-m", "recsys_lib", "run", lab, "--profile", "quick"]
    outputs = tmp_path / "outputs"
    environment = os.environ | {
        "RECSYS_OUTPUTS_DIR": str(outputs),
        "RECSYS_DATA_DIR": str(ml_100k.path.parent),
    }
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    described = json.loads((outputs / "latest" / "run.json").read_text())
    assert described["notebooks"][lab]["status"] == "ok"
