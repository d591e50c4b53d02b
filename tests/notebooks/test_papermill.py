"""The real command on the real notebooks: other parameters, other data, the quick profile."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np
import pytest

from recsys_lib.experiments.metrics import MAX_METRICS
from recsys_lib.experiments.notebooks import discover, read_notebook

# Each notebook runs once in the quick profile: on MovieLens the labs that assert something of it
# in that size, too. One of them reads what lessons have fitted, so it runs beside these.
ON_MOVIELENS = (
    "01_lab_features",
    "02_lab_training_samples",
    "07_lab_embedding_mlp",
    "13_lab_cold_start",
)
LOADING = "04_lab_graph_embedding"
# All others run on other data, some lessons on clicks.
ON_CLICKS = ("00_overview", "04_graph_embedding", "05_recall", "13_cold_start")
ELSEWHERE = {*ON_MOVIELENS, LOADING, *ON_CLICKS}
ON_RATINGS = [each.name for each in discover() if each.name not in ELSEWHERE]
# One after another: the worker that runs a test has one core.
QUICK = ("--profile", "quick", "--jobs", "1")


def recsys(outputs: Path, data: Path, *arguments: str, cwd=None) -> subprocess.CompletedProcess:
    """Run the command with folders of its own."""
    return subprocess.run(
        [sys.executable, "-m", "recsys_lib", *arguments],
        cwd=cwd or outputs.parent,
        env=os.environ | {"RECSYS_OUTPUTS_DIR": str(outputs), "RECSYS_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=2_400,  # of all labs together, on a busy machine
    )


def complaints(run: Path) -> list[str]:
    """Return what the cells of a run wrote to stderr, warnings among it."""
    cells = [c for path in run.glob("*/notebook.ipynb") for c in nbformat.read(path, 4).cells]
    outputs = [each for cell in cells for each in cell.get("outputs", [])]
    return [each["text"] for each in outputs if each.get("name") == "stderr"]


@pytest.mark.notebook
@pytest.mark.slow
def test_notebooks_run_in_the_quick_profile_with_another_seed_on_other_data(
    tmp_path, solved_checkout
):
    """All in one run, so that labs load what the lessons have fitted.

    The exercises are done, so the run shows that the solutions pass, too.
    """
    folders = tmp_path / "outputs", tmp_path / "data"
    size = ("--users", "150", "--items", "200", "--interactions", "8000")
    made = recsys(*folders, "data", "synth", "small", *size)
    assert made.returncode == 0, made.stdout + made.stderr

    command = ("run", *ON_RATINGS, *QUICK, "--dataset", "small", "-p", "seed=7")
    first = recsys(*folders, *command, cwd=solved_checkout)
    assert first.returncode == 0, first.stdout + first.stderr
    described = json.loads((folders[0] / "latest" / "run.json").read_text())
    assert described["dataset"] == "small"
    assert not complaints(folders[0] / "latest")
    assert all(each["parameters"]["seed"] == 7 for each in described["notebooks"].values())
    metrics = json.loads(recsys(*folders, "metrics", "--json").stdout)
    n_metrics = Counter(name.partition(".")[0] for name in metrics)
    assert n_metrics.keys() == set(ON_RATINGS)
    assert all({"value", "unit", "meaning"} <= set(each) for each in metrics.values())
    assert max(n_metrics.values()) <= MAX_METRICS
    tables = recsys(*folders, "metrics", "--tables").stdout
    assert all(f"{name}." in tables for name in ON_RATINGS)

    again = recsys(*folders, *command, cwd=solved_checkout)
    assert "Nothing changed" in again.stdout


@pytest.mark.notebook
@pytest.mark.slow
def test_clicks_alone_go_through_what_can_be_judged_and_say_what_cannot(tmp_path):
    """Text ids, no ratings, no items' table: recall is judged, a ranking model has no dislikes."""
    folders = tmp_path / "outputs", tmp_path / "data"
    draw = np.random.default_rng(3)
    lines = ["when,visitor,page"]
    for user in range(40):
        pages = draw.permutation(np.arange(60) + 20 * (user % 2))[:30]
        lines += [f"{1_600_000_000 + 60 * n},v-{user:03},p/{page}" for n, page in enumerate(pages)]
    (tmp_path / "clicks.csv").write_text("\n".join(lines) + "\n")
    columns = ("--columns", "user=visitor,item=page,timestamp=when")
    file = str(tmp_path / "clicks.csv")
    made = recsys(*folders, "data", "get", "clicks", "--from", file, *columns)
    assert made.returncode == 0, made.stdout + made.stderr

    chosen = (*ON_CLICKS, "07_embedding_mlp")
    ended = recsys(*folders, "run", *chosen, *QUICK, "--dataset", "clicks")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Left out: 07_embedding_mlp.\nNothing can be ranked on clicks" in ended.stdout
    run = next(folders[0].glob("*-clicks-quick"))
    found = json.loads((run / "metrics.json").read_text())
    assert {name.partition(".")[0] for name in found} == set(ON_CLICKS)
    assert 0 <= found["05_recall.merged_recall"]["value"] <= 1
    assert not list(run.glob("*/error.txt"))
    assert not complaints(run)


@pytest.fixture(scope="module")
def run_on_movielens(ml_100k, tmp_path_factory, solved_checkout):
    """The labs' outputs, and how they ended: all in one run, so that samples are made once."""
    outputs = tmp_path_factory.mktemp("labs") / "outputs"
    command = ("run", *ON_MOVIELENS, *QUICK)
    return outputs, recsys(outputs, ml_100k.path.parent, *command, cwd=solved_checkout)


@pytest.mark.xdist_group("labs")  # else each worker runs all of them
@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize("lab", ON_MOVIELENS)
def test_labs_run_in_the_quick_profile_on_movielens(lab, run_on_movielens):
    outputs, ended = run_on_movielens
    (described,) = [path for path in outputs.glob("*/run.json") if path.parent.name != "latest"]
    notebooks = json.loads(described.read_text())["notebooks"]
    failed = [name for name, each in notebooks.items() if each["status"] != "ok"]
    assert lab not in failed, ended.stdout + ended.stderr
    assert notebooks[lab]["parameters"]["dataset"] == "ml-100k"
    assert failed or ended.returncode == 0


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.xdist_group("nbval vectors")
def test_papermill_runs_a_lab_on_what_the_lessons_have_fitted(
    ml_100k, shared_outputs, solved_checkout, tmp_path
):
    """As people do who know papermill: its own command, beside the outputs of open notebooks."""
    source, target = f"notebooks/{LOADING}.ipynb", tmp_path / LOADING / "notebook.ipynb"
    target.parent.mkdir()
    profile = read_notebook(solved_checkout / source).profiles["quick"]
    quick = ("--parameters_yaml", json.dumps(dict(profile)))
    done = subprocess.run(
        [sys.executable, "-m", "papermill", source, str(target), *quick, "--no-progress-bar"],
        cwd=solved_checkout,
        env=os.environ
        | {"RECSYS_OUTPUTS_DIR": shared_outputs, "RECSYS_DATA_DIR": str(ml_100k.path.parent)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    assert not complaints(tmp_path)
