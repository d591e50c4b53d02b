"""What a notebook finds and leaves: artefacts, figures, metrics."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from recsys_lib.data import Request, get
from recsys_lib.data.user_file import Columns
from recsys_lib.embeddings import EmbeddingTable, build_item2vec
from recsys_lib.errors import RecsysError
from recsys_lib.experiments import start


@pytest.fixture(scope="module", autouse=True)
def _tiny_data(tmp_path_factory):
    """Twenty users of two tastes, as a person's own CSV."""
    folder = tmp_path_factory.mktemp("tiny")
    rows = [
        (user, item, 5, 1_000 + 60 * step)
        for user in range(1, 21)
        for step, item in enumerate(np.random.default_rng(user).permutation(30) + 100 * (user % 2))
    ]
    pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"]).to_csv(
        folder / "mine.csv", index=False
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_DATA_DIR", str(folder / "data"))
        columns = Columns.parse("user=user,item=item,rating=rating,timestamp=timestamp")
        get(Request("tiny", source=folder / "mine.csv", columns=columns))
        yield


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("RECSYS_RUN_DIR", str(tmp_path / "run"))
    return start("03_item2vec", dataset="tiny")


def made(run, name):
    return json.loads((run.folder / "artifacts" / name / "artifact.json").read_text())


def library_log(run):
    return (run.folder / "library.log").read_text()


def test_a_missing_artefact_is_built_as_the_library_would(run, capfd):
    loaded = run.load("item2vec")
    built = build_item2vec(run.splits, seed=run.seed)
    assert set(loaded) == {"last_likes", "by_time"}
    assert (loaded["by_time"].vectors == built["by_time"].vectors).all()
    assert made(run, "item2vec")["notebook"] == "library"
    assert "building item2vec, because there is none yet" in library_log(run)
    assert capfd.readouterr() == ("", "")


def test_what_a_notebook_wrote_is_read_as_it_is(run):
    table = EmbeddingTable([1, 2], np.eye(2))
    run.save("item2vec", {"last_likes": table, "by_time": table}, config={"window": 3})
    assert run.load("item2vec")["last_likes"].vectors.tolist() == [[1, 0], [0, 1]]
    assert made(run, "item2vec")["notebook"] == "03_item2vec"
    assert made(run, "item2vec")["config"] == {"window": 3}
    assert "building" not in library_log(run)


@pytest.mark.parametrize("what", ["data", "library"])
def test_what_other_data_or_code_made_is_built_anew(run, what):
    run.save("recall_plan", {"channels": {}})
    path = run.folder / "artifacts" / "recall_plan" / "artifact.json"
    path.write_text(json.dumps(made(run, "recall_plan") | {what: "another"}))
    assert run.load("recall_plan")["channels"] != {}
    assert "changed" in library_log(run)


def test_two_open_notebooks_build_an_artefact_once(run):
    code = (
        "from recsys_lib.experiments import start\n"
        "print(len(start('05_recall', dataset='tiny').load('item2vec')['last_likes']))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = {process.communicate(timeout=120)[0] for process in both}
    assert len(told) == 1
    assert library_log(run).count("building item2vec") == 1
    assert library_log(run).count("reading item2vec") == 1


def test_metrics_and_figures_are_written_for_the_report(run):
    run.figure("one_point", Figure(), "Nothing to see.")
    run.record({"users": (20.0, "count"), "recall_at_10": (np.float32(0.5), "fraction")})
    folder = run.folder / "03_item2vec"
    assert json.loads((folder / "metrics.json").read_text()) == {
        "users": {"value": 20, "unit": "count"},
        "recall_at_10": {"value": 0.5, "unit": "fraction"},
    }
    shown = json.loads((folder / "figures" / "figures.json").read_text())
    assert shown == [{"file": "one_point.png", "caption": "Nothing to see."}]
    assert (folder / "figures" / "one_point.png").read_bytes()[:4] == b"\x89PNG"


def test_wrong_names_and_values_are_refused(run):
    with pytest.raises(RecsysError, match="Did you mean 'item2vec'"):
        run.load("item2vce")
    with pytest.raises(RecsysError, match="'loss' is nan"):
        run.record({"loss": (float("nan"), "nats")})
    with pytest.raises(RecsysError, match="'a b'"):
        run.record({"a b": (1, "count")})
    with pytest.raises(RecsysError, match="name is made of"):
        run.figure("../x", Figure(), "")


def test_interactive_work_lies_apart_by_data_set(monkeypatch, tmp_path):
    monkeypatch.delenv("RECSYS_RUN_DIR", raising=False)
    monkeypatch.setenv("RECSYS_OUTPUTS_DIR", str(tmp_path))
    assert start("00_overview", dataset="tiny").folder == tmp_path / "interactive" / "tiny"
