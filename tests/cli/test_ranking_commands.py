"""``recsys train`` and ``recsys evaluate`` on our samples, the reference's CSV and an own file."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from recsys_lib.cli import app
from recsys_lib.errors import RecsysError
from recsys_lib.features.reference_layout import LAYOUT
from recsys_lib.ranking import HISTORY, RankingModel
from recsys_lib.ranking.models import KINDS
from recsys_lib.seeding import generator

QUICK = ["--epochs", "2", "--batch-size", "64", "--embedding-dim", "4", "--set", "hidden=[8]"]


def run(*arguments) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def figures(output: str) -> dict[str, str]:
    return dict(line.split() for line in output.splitlines() if len(line.split()) == 2)


@pytest.fixture(scope="module")
def own() -> pd.DataFrame:
    """A shop's clicks, with ids of both kinds, lists, and a history in lists."""
    rng = generator(3, "clicks")
    n = 400
    sku = rng.integers(0, 20, n)
    clicked = (sku % 2) ^ (rng.random(n) < 0.1)
    return pd.DataFrame(
        {
            "uid": [f"u{k}" for k in rng.integers(0, 15, n)],
            "sku": sku,
            "price": rng.random(n) * 100,
            "tags": [["a", "b", "NA"][: k % 4] for k in sku],
            "recent": [sku[rng.integers(0, n, k % 4)].tolist() for k in range(n)],
            "clicked": clicked.astype(int),
        }
    )


SCHEMA = {
    "label": "clicked", "user": "uid", "item": "sku", "numbers": ["price"],
    "log_numbers": ["price"], "bags": ["tags"], "history": ["recent"],
}  # fmt: skip


@pytest.mark.slow
def test_an_own_file_as_csv_and_as_parquet(own, tmp_path):
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    own.to_parquet(tmp_path / "own.parquet")
    texts = {
        column: own[column].map(lambda each: "|".join(map(str, each)))
        for column in ("tags", "recent")
    }
    own.assign(**texts).to_csv(tmp_path / "own.csv", index=False)
    metrics = {}
    for ending in ("csv", "parquet"):
        out = tmp_path / ending
        printed = run(
            "train", "din", "--samples", tmp_path / f"own.{ending}", "--out", out,
            "--schema", tmp_path / "schema.json", "--test", "0.2", *QUICK,
        )  # fmt: skip
        assert "at random (seed 42)" in printed
        assert "epoch 2: loss" in printed
        metrics[ending] = figures(run("evaluate", out, "--samples", tmp_path / f"own.{ending}"))
    assert metrics["csv"] == metrics["parquet"]
    assert metrics["csv"]["rows"] == "400"
    assert float(metrics["csv"]["unknown_user_id"]) < 0.1
    stored = json.loads((tmp_path / "csv" / "training.json").read_text())
    assert sum(stored["rows"].values()) == 400
    assert len(stored["log"]["train_loss"]) == 2
    model = RankingModel.load(tmp_path / "csv")
    assert model.inputs.history == {"recent": 3}
    assert "NA" in model.inputs.vocabularies["tags"]
    assert not (tmp_path / "csv.checkpoint").exists()


@pytest.fixture(scope="module")
def reference_csv(tmp_path_factory):
    """500 lines in the reference's layout."""
    rng = generator(3, "reference samples")
    n = 500
    frame = pd.DataFrame({theirs: rng.integers(1, 30, n) for theirs, _ in LAYOUT.values()})
    for column in frame:
        if "Genre" in column:
            frame[column] = np.array(["Drama", "War", ""])[rng.integers(0, 3, n)]
    frame["label"] = (frame["movieId"] % 2).astype(int)
    file = tmp_path_factory.mktemp("reference") / "trainingSamples.csv"
    frame.to_csv(file, index=False)
    return file


@pytest.mark.slow
def test_the_reference_layout_needs_no_schema(reference_csv, tmp_path):
    printed = run(
        "train", "wide_deep", "--samples", reference_csv, "--out", tmp_path / "m", *QUICK,
        "--set", f"history={json.dumps(HISTORY)}",
    )  # fmt: skip
    assert "comma, utf-8, in the reference system's layout" in printed
    assert "by time: the latest samples are 10% validation" in printed
    assert "missing values: item_genre_1 " in printed
    metrics = figures(run("evaluate", tmp_path / "m", "--samples", reference_csv))
    assert metrics["rows"] == "500"
    assert {"auc", "per_user_auc", "log_loss", "calibration_error"} <= set(metrics)


@pytest.mark.parametrize(
    ("schema", "arguments", "says"),
    [
        ({"labl": "clicked"}, [], "Did you mean 'label'"),
        ({"user": "uid"}, [], "names no column as the label"),
        ({"label": "clicked", "user": "uidd"}, [], "no column 'uidd'. Did you mean 'uid'"),
        ({"label": "clicked", "user": "uid", "numbers": ["prize"]}, [], "Did you mean 'price'"),
        ({"label": "clicked", "user": "uid", "numbers": "price"}, [], "a list of columns"),
        ({"label": "clicked", "user": "uid", "numbers": ["tags"]}, [], "does not hold numbers"),
        ({"label": "price", "user": "uid"}, [], "Labels must be 0 or 1"),
        (SCHEMA, ["--set", "embeding_dim=4"], "Did you mean 'embedding_dim'"),
        (SCHEMA, ["--set", "dropout=much"], "dropout must be a number in"),
        (SCHEMA, ["--set", "dropout"], "write name=value"),
    ],
)
def test_what_is_wrong_is_named(own, tmp_path, schema, arguments, says):
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    own.to_parquet(tmp_path / "own.parquet")
    with pytest.raises(RecsysError, match=says.replace("(", r"\(")):
        run(
            "train", "embedding_mlp", "--samples", tmp_path / "own.parquet", "--out",
            tmp_path / "m", "--schema", tmp_path / "schema.json", *arguments,
        )  # fmt: skip
    assert not (tmp_path / "m").exists()


def test_the_help_names_every_kind_of_model():
    shown = run("train", "--help")
    assert [kind for kind in KINDS if not re.search(rf"\b{kind}\b", shown)] == []


def test_a_misspelt_kind_is_named(tmp_path):
    with pytest.raises(RecsysError, match="Did you mean 'deepfm'"):
        run("train", "deepmf", "--samples", tmp_path, "--out", tmp_path / "m")
