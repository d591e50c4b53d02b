"""Fitted transforms against numpy, on the rows they learned from and on rows they never saw."""

import json

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.features import (
    TransformConfig,
    fit_transforms,
    load_transforms,
    save_transforms,
    with_arrays,
)

pytestmark = pytest.mark.spark

SCHEMA = "kind string, genres array<string>, count double, stars double"
COUNTS = [1.0, 2.0, 4.0, 8.0, 85.0]
STARS = [3.0, 3.5, 4.0, 2.0, 5.0]
CONFIG = TransformConfig(
    one_hot=("kind",),
    multi_hot=("genres",),
    min_max=("count",),
    standard=("count", "stars"),
    robust=("count",),
    bucket=("count",),
    normalize=("count", "stars"),
    n_buckets=2,
    norms=(1, 2, 3),
)


@pytest.fixture(scope="module")
def films(spark):
    kinds = ["b", "a", "b", "c", "a"]
    genres = [["Drama"], ["Children's", "Drama"], [], ["War"], ["War", "War"]]
    return spark.createDataFrame(list(zip(kinds, genres, COUNTS, STARS, strict=True)), SCHEMA)


@pytest.fixture(scope="module")
def model(films):
    return fit_transforms(films, CONFIG)


def rows_of(frame) -> list[dict]:
    """Collect as plain numbers and lists, so that rows can be compared."""
    return [
        {
            name: value.toArray().tolist() if hasattr(value, "toArray") else value
            for name, value in row.asDict().items()
        }
        for row in frame.collect()
    ]


def column(rows: list[dict], name: str) -> np.ndarray:
    return np.array([row[name] for row in rows]).squeeze()


def test_numbers_are_scaled_as_the_formulas_say(model, films):
    rows = rows_of(model.transform(films))
    count = np.array(COUNTS)
    np.testing.assert_allclose(column(rows, "count_min_max"), (count - 1) / 84)
    np.testing.assert_allclose(
        column(rows, "count_standard"), (count - count.mean()) / count.std(ddof=1)
    )
    np.testing.assert_allclose(column(rows, "count_robust"), (count - 4) / (8 - 2))
    vectors = np.column_stack([count, STARS])
    for p in (1, 2, 3):
        norms = (vectors**p).sum(axis=1, keepdims=True) ** (1 / p)
        np.testing.assert_allclose(column(rows, f"normalized_l{p}"), vectors / norms)
    assert column(rows, "count_bucket").tolist() == [0, 0, 1, 1, 1]  # the median is 4


def test_categories_are_encoded_in_alphabetical_order(model, films):
    rows = rows_of(model.transform(films))
    assert [row["kind_one_hot"] for row in rows] == [
        [0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0],
    ]  # fmt: skip
    assert [row["genres_multi_hot"] for row in rows] == [
        [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0],
    ]  # fmt: skip


def test_vectors_become_plain_numbers_for_people(model, films):
    row = with_arrays(model.transform(films)).first()
    assert row.count_min_max == 0.0  # a vector of one is a number
    assert row.kind_one_hot == [0, 1, 0, 0]


def test_inputs_stay_and_nothing_else_is_added(model, films):
    added = set(model.transform(films).columns) - set(films.columns)
    assert added == {
        "kind_one_hot", "genres_multi_hot", "count_min_max", "count_standard", "stars_standard",
        "count_robust", "count_bucket", "normalized_l1", "normalized_l2", "normalized_l3",
    }  # fmt: skip


def test_new_rows_unseen_and_missing_values(spark, model):
    """Rows to come: an unseen category, numbers out of range, nothing at all."""
    new = spark.createDataFrame(
        [("z", ["War", "Musical", None], 1000.0, 0.0), (None, None, None, None)], SCHEMA
    )
    unseen, missing = rows_of(model.transform(new))
    assert unseen["kind_one_hot"] == [0, 0, 0, 1]
    assert unseen["genres_multi_hot"] == [0, 0, 1, 1]
    assert unseen["count_min_max"] == [pytest.approx(999 / 84)]
    assert unseen["count_bucket"] == 1
    assert missing["kind_one_hot"] == [0, 0, 0, 1]
    assert missing["genres_multi_hot"] == [0, 0, 0, 0]
    assert missing["count_min_max"] == [pytest.approx(3 / 84)]  # the fitted median is 4
    assert missing["count_robust"] == [0]
    assert missing["count_bucket"] == 2  # a bucket of its own, after the last
    assert np.isnan(missing["normalized_l2"]).all()


def test_saved_and_loaded_is_the_same(spark, model, films, tmp_path):
    save_transforms(model, tmp_path / "transforms")
    loaded = load_transforms(tmp_path / "transforms")
    assert rows_of(loaded.transform(films)) == rows_of(model.transform(films))
    suffixes = {path.suffix for path in tmp_path.rglob("part-*") if path.is_file()}
    assert suffixes <= {".parquet", ".txt", ""}
    for text in tmp_path.rglob("metadata/part-*"):
        json.loads(text.read_text())


def test_hundred_buckets_hold_equal_shares(spark):
    skewed = pd.DataFrame({"count": np.exp(np.arange(10_000) / 1000)})
    frame = spark.createDataFrame(skewed)
    rows = fit_transforms(frame, TransformConfig(bucket=("count",))).transform(frame)
    sizes = rows.groupBy("count_bucket").count().toPandas()["count"]
    assert len(sizes) == 100
    assert sizes.between(80, 120).all()


def test_a_constant_column_gives_no_nan(spark):
    frame = spark.createDataFrame([(2.0,), (2.0,)], "count double")
    config = TransformConfig(min_max=("count",), standard=("count",), robust=("count",))
    (row, _) = rows_of(fit_transforms(frame, config).transform(frame))
    assert (row["count_min_max"], row["count_standard"], row["count_robust"]) == ([0.5], [0], [0])


def test_bad_settings_are_refused(spark, films):
    with pytest.raises(RecsysError, match="Did you mean 'count'"):
        fit_transforms(films, TransformConfig(min_max=("counts",)))
    with pytest.raises(RecsysError, match="n_buckets must be at least 2, not 1"):
        fit_transforms(films, TransformConfig(bucket=("count",), n_buckets=1))
    with pytest.raises(RecsysError, match="norms must be at least 1"):
        fit_transforms(films, TransformConfig(normalize=("count",), norms=(0.5,)))
    with pytest.raises(DataError, match="no rows"):
        fit_transforms(films.limit(0), CONFIG)
    nothing = spark.createDataFrame([(None,)], "count double")
    with pytest.raises(DataError, match="'count' has no value"):
        fit_transforms(nothing, TransformConfig(bucket=("count",)))
    with pytest.raises(DataError, match="no saved pipeline"):
        load_transforms("nowhere")
