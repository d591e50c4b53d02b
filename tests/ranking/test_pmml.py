"""PMML scored by engines of other people equals scikit-learn, on every kind of row."""

import importlib.util
import math
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from recsys_lib.errors import DataError
from recsys_lib.rankers.pmml import PmmlModel
from recsys_lib.ranking.pmml import (
    LIKE,
    border_in_double,
    linear_pipeline,
    tree_pipeline,
    write_pmml,
)
from recsys_lib.seeding import generator

pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="the engines need Java")
PIPELINES = {
    "linear": linear_pipeline(["genre", "item_id"], ["year"], ["mean", "year"], n_buckets=6),
    "trees": tree_pipeline(["genre", "item_id"], ["mean", "year"], n_trees=12),
}


def rows(n, seed=1) -> pd.DataFrame:
    rng = generator(seed, "pmml rows")
    frame = pd.DataFrame({"genre": rng.choice(["Drama", "War", "a < b & 'c'"], n).astype(object)})
    frame["item_id"] = rng.integers(1, 20, n)
    frame["year"] = rng.integers(1950, 2000, n).astype(float)
    frame["mean"] = 1 + 4 * rng.random(n)
    frame.loc[::7, "year"] = np.nan
    frame.loc[::11, "genre"] = None
    frame.loc[::13, "mean"] = np.nan
    taste = (frame["genre"] == "War") + frame["mean"].fillna(3) / 3 + frame["item_id"] % 3 / 2
    return frame.assign(like=(taste + rng.random(n) > 2).astype(int))


def strange(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with values that training did not contain, and with nothing at all."""
    frame = frame.copy()
    frame.loc[::5, "genre"] = "Musical"
    frame.loc[::3, "item_id"] = 999
    frame.loc[1::9, "year"] = 1e6
    frame.loc[2::9, "year"] = -5
    frame.loc[4::9, ["genre", "year", "mean"]] = None
    return frame


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict:
    """Each trained pipeline with its file."""
    folder, train = tmp_path_factory.mktemp("pmml"), rows(800)
    made = {}
    for name, pipeline in PIPELINES.items():
        pipeline.fit(train.drop(columns="like"), train["like"])
        write_pmml(pipeline, folder / f"{name}.pmml")
        made[name] = pipeline, folder / f"{name}.pmml"
    return made


@pytest.mark.parametrize("name", PIPELINES)
def test_an_independent_engine_gives_the_same_probabilities(written, name):
    pipeline, path = written[name]
    asked = strange(rows(600, seed=2))
    expected = pipeline.predict_proba(asked.drop(columns="like"))[:, 1]
    assert np.ptp(expected) > 0.5
    assert np.abs(PmmlModel(path).predict(asked) - expected).max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.skipif(
    importlib.util.find_spec("jpmml_evaluator") is None,
    reason="a second engine, jpmml_evaluator, is not installed",
)
def test_a_second_engine_agrees(written, name):
    from jpmml_evaluator import make_evaluator

    pipeline, path = written[name]
    asked = strange(rows(300, seed=3)).drop(columns="like")
    expected = pipeline.predict_proba(asked)[:, 1]
    evaluator = make_evaluator(str(path)).verify()
    found = evaluator.evaluateAll(asked.astype(object).where(asked.notna(), None))
    assert np.abs(found[LIKE].astype(float) - expected).max() < 1e-9


def test_values_on_the_borders_go_the_same_way(written):
    """On the edges of buckets and the thresholds of trees, and just beside them."""
    pipeline, path = written["linear"]
    edges = pipeline.named_steps["columns"].named_transformers_["buckets"][1].bin_edges_[0]
    trees = written["trees"][0].named_steps["model"].estimators_[:, 0]
    splits = np.unique(np.concatenate([tree.tree_.threshold for tree in trees]))
    values = np.concatenate([edges, splits, splits.astype(np.float32)])
    values = np.concatenate([values, np.nextafter(values, -np.inf), np.nextafter(values, np.inf)])
    asked = pd.DataFrame({"genre": "War", "item_id": 1, "year": values, "mean": values})
    for pipeline, path in written.values():
        expected = pipeline.predict_proba(asked)[:, 1]
        assert np.abs(PmmlModel(path).predict(asked) - expected).max() < 1e-9


@given(st.floats(-1e6, 1e6), st.integers(-3, 3))
def test_the_border_in_double_precision_is_the_border_of_32_bits(threshold, steps):
    x = border_in_double(threshold)
    for _ in range(abs(steps)):
        x = float(np.nextafter(x, math.copysign(np.inf, steps)))
    assert (x <= border_in_double(threshold)) == (float(np.float32(x)) <= threshold)


@pytest.mark.filterwarnings("error")
def test_equal_quantiles_make_fewer_buckets_without_a_warning(tmp_path):
    """Counts of a small table: half of them are 1, so several quantiles are."""
    train = rows(400).assign(count=np.repeat([1.0, 2.0, 3.0, 9.0], [200, 100, 60, 40]))
    pipeline = linear_pipeline(["genre"], ["count"], ["mean"], n_buckets=10)
    pipeline.fit(train[["genre", "count", "mean"]], train["like"])
    write_pmml(pipeline, tmp_path / "counts.pmml")
    expected = pipeline.predict_proba(train[["genre", "count", "mean"]])[:, 1]
    assert np.abs(PmmlModel(tmp_path / "counts.pmml").predict(train) - expected).max() < 1e-12


def test_no_rows_no_scores(written):
    assert PmmlModel(written["linear"][1]).predict(rows(5)[:0]).shape == (0,)


def test_what_cannot_be_is_told(written, tmp_path):
    model = PmmlModel(written["linear"][1])
    with pytest.raises(DataError, match="lack the columns mean"):
        model.predict(rows(5).drop(columns="mean"))
    with pytest.raises(DataError, match="There is no PMML file"):
        PmmlModel(tmp_path / "no.pmml")
    (tmp_path / "broken.pmml").write_text("<PMML>")
    with pytest.raises(DataError, match="no PMML that the engine reads"):
        PmmlModel(tmp_path / "broken.pmml")
    other = Pipeline([*PIPELINES["linear"].steps[:1], ("model", LinearRegression())])
    with pytest.raises(DataError, match="no PMML here for a LinearRegression"):
        write_pmml(other.fit(rows(50), rows(50)["like"]), tmp_path / "other.pmml")
    assert not (tmp_path / "other.pmml").exists()
