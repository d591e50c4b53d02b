"""What a notebook shows: a few metrics, figures and tables, checked as they are written."""

import base64

import nbclient
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook

from recsys_lib import files
from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import mean_interval
from recsys_lib.experiments import Missing
from recsys_lib.experiments.results import FIGURES, METRICS, TABLES, Results


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path)


def test_metrics_are_numbers_intervals_or_missing_with_a_reason(results):
    results.record(
        {
            "users": (20.0, "count", "Users."),
            "recall": ((np.float32(0.5), 0.25, 0.75), "fraction", "Share of hidden likes found."),
            "people": (Missing("no knowledge graph"), "fraction", "Films with a director."),
        }
    )
    assert files.read_json(results.folder / METRICS) == {
        "users": {"value": 20, "unit": "count", "meaning": "Users."},
        "recall": {
            "value": 0.5,
            "low": 0.25,
            "high": 0.75,
            "unit": "fraction",
            "meaning": "Share of hidden likes found.",
        },
        "people": {
            "value": None,
            "missing": "no knowledge graph",
            "unit": "fraction",
            "meaning": "Films with a director.",
        },
    }


def test_an_interval_of_the_evaluation_is_recorded_as_it_is(results):
    interval = mean_interval(np.arange(10.0))
    results.record({"x": (interval, "items", "A mean.")})
    recorded = files.read_json(results.folder / METRICS)["x"]
    assert (recorded["value"], recorded["low"], recorded["high"]) == interval


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ((1, "count"), r"write \(value, unit, meaning\)"),
        (1, r"write \(value, unit, meaning\)"),
        ((float("nan"), "nats", "Loss."), r"is nan.*Missing\(reason\)"),
        (((1, float("inf"), 2), "nats", "Loss."), "is inf"),
        (("much", "nats", "Loss."), "no number"),
        ((None, "nats", "Loss."), "no number"),
        (((1, 2), "nats", "Loss."), r"write \(value, low, high\)"),
        (((1, 2, 0), "nats", "Loss."), "from 2.0 to 0.0"),
        ((1, "", "Loss."), "has the unit ''"),
        ((1, "nats", "Two\nlines."), "has the meaning"),
    ],
)
def test_a_metric_that_is_not_of_the_form_is_refused(results, entry, said):
    with pytest.raises(RecsysError, match=f"'loss' .*{said}"):
        results.record({"loss": entry})
    assert not (results.folder / METRICS).exists()


def test_a_wrong_name_and_too_many_metrics_are_refused(results):
    with pytest.raises(RecsysError, match="'a b'"):
        results.record({"a b": (1, "count", "One.")})
    with pytest.raises(RecsysError, match=r"9 metrics are too many.*run\.table"):
        results.record({f"x_{i}": (i, "count", "One.") for i in range(9)})


def test_a_figure_is_kept_with_its_caption_and_drawn_again_replaces_itself(results):
    for caption in ("A first try.", "Nothing to see."):
        results.figure("one_point", Figure(), caption)
    listed = files.read_json(results.folder / FIGURES)
    assert listed == [{"file": "one_point.png", "caption": "Nothing to see."}]
    assert (results.folder / "figures" / "one_point.png").read_bytes()[:4] == b"\x89PNG"


def test_a_notebook_shows_the_picture_that_is_kept_once_and_where_it_is_kept(results):
    cell = new_code_cell(
        "from pathlib import Path\n"
        "import matplotlib.pyplot as plt\n"
        "from recsys_lib.experiments.results import Results\n"
        "figure, axis = plt.subplots()\n"
        f"Results(Path({str(results.folder)!r})).figure('axes', figure, 'Two axes.')\n"
        "print('below')\n"
        "plt.show()"
    )
    nbclient.execute(new_notebook(cells=[cell]))
    shown, below = cell.outputs
    assert (shown.output_type, below.text) == ("display_data", "below\n")
    assert shown.data["text/plain"] == "<Figure size 640x480 with 1 Axes>"
    kept = results.folder / "figures" / "axes.png"
    assert base64.b64decode(shown.data["image/png"]) == kept.read_bytes()


def stored(results, name: str, frame) -> pd.DataFrame:
    results.table(name, frame, "A caption.")
    return pd.read_parquet(results.folder / "tables" / f"{name}.parquet")


def test_a_table_is_kept_with_its_index_where_that_says_something(results):
    plain = pd.DataFrame({"x": [1.5, np.nan], "y": [["a"], []]})
    assert stored(results, "plain", plain).columns.tolist() == ["x", "y"]
    assert stored(results, "filtered", plain.iloc[1:]).columns.tolist() == ["x", "y"]
    named = plain[["x"]].set_axis(pd.Index(["one", "two"], name="model"))
    assert stored(results, "named", named)["model"].tolist() == ["one", "two"]
    unnamed = stored(results, "unnamed", named.rename_axis(None)["x"])
    assert unnamed.columns.tolist() == ["", "x"]
    pivot = pd.DataFrame({("auc", 1): [0.5], ("auc", 2): [0.75]}, index=pd.Index(["mlp"], name="m"))
    assert stored(results, "pivot", pivot).to_dict("list") == {
        "m": ["mlp"],
        "auc 1": [0.5],
        "auc 2": [0.75],
    }
    listed = files.read_json(results.folder / TABLES)
    assert listed[-1] == {"file": "pivot.parquet", "caption": "A caption.", "rows": 1, "columns": 3}
    assert len(listed) == 5


def test_intervals_are_spread_over_columns(results):
    recall = {"mlp": (0.5, 0.25, 0.75), "fm": (0.1, 0.0, 0.2)}
    frame = pd.DataFrame({"recall": recall, "n": {"mlp": 1, "fm": 2}})
    flat = stored(results, "intervals", frame)
    assert flat.columns.tolist() == ["", "recall", "recall low", "recall high", "n"]
    assert flat.iloc[0].tolist() == ["mlp", 0.5, 0.25, 0.75, 1]


def test_a_table_or_figure_with_a_wrong_name_or_content_is_refused(results):
    with pytest.raises(RecsysError, match="A figure's name is made of"):
        results.figure("../x", Figure(), "")
    with pytest.raises(RecsysError, match="A table's name is made of"):
        results.table("a b", pd.DataFrame(), "")
    mixed = pd.DataFrame({"x": [1, "one", [1]]})
    twice = pd.DataFrame({"x": [1]}, index=pd.Index(["a"], name="x"))
    for frame in (mixed, twice):
        with pytest.raises(RecsysError, match="Table 'wrong' does not fit into Parquet"):
            results.table("wrong", frame, "")
    assert list((results.folder / "tables").iterdir()) == []


def test_a_value_that_other_data_leave_undefined_is_missing(tmp_path):
    nothing = {"gain": (mean_interval([]), "fraction", "A gain of nobody.")}
    with pytest.raises(RecsysError, match="is nan"):
        Results(tmp_path).record(nothing)
    Results(tmp_path).record(nothing, undefined="nobody to measure it on")
    found = files.read_json(tmp_path / METRICS)["gain"]
    assert (found["value"], found["missing"]) == (None, "nobody to measure it on")
