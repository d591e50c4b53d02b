"""``recsys metrics`` on runs that were laid out by hand."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from recsys_lib import files
from recsys_lib.cli import app
from recsys_lib.errors import RecsysError
from recsys_lib.experiments.records import point_latest
from recsys_lib.experiments.results import Results

METRICS = {
    "03_item2vec.recall_at_10": {
        "value": 0.15,
        "low": 0.125,
        "high": 0.175,
        "unit": "fraction",
        "meaning": "Share found.",
    },
    "03_item2vec.seconds": {"value": 0.5, "unit": "s", "meaning": "Time."},
    "04_graph.people": {
        "value": None,
        "missing": "no knowledge graph",
        "unit": "fraction",
        "meaning": "Films with a director.",
    },
}


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs, the later with another recall; `latest` points to the earlier one."""
    monkeypatch.setenv("RECSYS_OUTPUTS_DIR", str(tmp_path))
    later = json.loads(json.dumps(METRICS))
    later["03_item2vec.recall_at_10"]["value"] = 0.25
    del later["03_item2vec.seconds"]
    for name, metrics in {"20260101-000000-toy-a": METRICS, "20260102-000000-toy-b": later}.items():
        files.write_json(tmp_path / name / "metrics.json", metrics)
    first = tmp_path / "20260101-000000-toy-a"
    Results(first / "03_item2vec").table("board", pd.DataFrame({"x": [1, 2]}), "A board of two")
    point_latest(first)
    return tmp_path


def lines(*arguments: str) -> list[str]:
    done = CliRunner().invoke(app, ["metrics", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_the_metrics_of_the_last_good_run_are_listed_with_their_meaning(runs):
    assert lines() == [
        "03_item2vec.recall_at_10 0.150 0.125 to 0.175 Share found.",
        "03_item2vec.seconds 500 ms Time.",
        "04_graph.people – no knowledge graph Films with a director.",
    ]


def test_two_runs_are_compared_with_their_difference(runs):
    assert lines("20260101-000000-toy-a", str(runs / "20260102-000000-toy-b")) == [
        "metric 20260101-000000-toy-a 20260102-000000-toy-b difference unit",
        "03_item2vec.recall_at_10 0.150 0.250 0.100 fraction",
        "03_item2vec.seconds 0.500 – – s",
        "04_graph.people – – – fraction",
    ]


def test_json_is_one_object_or_one_by_run(runs):
    assert json.loads("\n".join(lines("--json"))) == METRICS
    both = json.loads("\n".join(lines("--json", "latest", "20260102-000000-toy-b")))
    assert set(both) == {"20260101-000000-toy-a", "20260102-000000-toy-b"}


def test_tables_are_listed_and_printed(runs):
    assert lines("--tables")[0] == "03_item2vec.board 2 x 1 A board of two"
    assert lines("--table", "03_item2vec.board") == ["A board of two", "x", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--table", "03_item2vec.bord"], "Did you mean '03_item2vec.board'"),
        (["--tables", "latest", "20260102-000000-toy-b"], "one run at a time"),
        (["20260103"], "There is no run '20260103'"),
    ],
)
def test_what_is_not_there_is_refused(runs, arguments, said):
    with pytest.raises(RecsysError, match=said):
        lines(*arguments)
