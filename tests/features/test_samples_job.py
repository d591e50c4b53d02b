"""The samples job: equal to plain pandas on MovieLens, exact about what it sets aside."""

import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import samples_plain

from recsys_lib import schema
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.features import build_samples
from recsys_lib.features.registry import FEATURES, names

NOW = 1_000
KEYS = ["timestamp", "user_id", "item_id"]


def rows_of(folder) -> pd.DataFrame:
    return pd.read_parquet(folder / "samples").sort_values(KEYS, ignore_index=True)


def test_equals_plain_pandas_on_movielens(ml_100k, job_of_movielens):
    found = rows_of(job_of_movielens)
    expected = samples_plain.samples(ml_100k.interactions, ml_100k.items)
    assert len(found) == len(expected) == 100_000
    assert sorted(expected.columns) == sorted(names())
    for name in names():
        if FEATURES[name].dtype == "string":
            assert found[name].where(found[name].notna(), None).tolist() == expected[name].tolist()
        else:
            values = found[name].to_numpy("float64"), expected[name].to_numpy("float64")
            np.testing.assert_allclose(*values, rtol=2e-7, atol=2e-6, err_msg=name)


def test_files_are_typed_by_month_and_in_order(job_of_movielens):
    report = json.loads((job_of_movielens / "report.json").read_text())
    folders = sorted((job_of_movielens / "samples").glob("event_month=*"))
    assert report["partitions"] == len(folders) == 8
    assert sum(report["columns_per_family"].values()) == len(names())
    assert report["rows"] == {"read": 100_000, "written": 100_000, "rejected": 0}
    for folder in folders:
        (file,) = folder.glob("*.parquet")
        table = pq.read_table(file, partitioning=None)
        types = {field.name: str(field.type) for field in table.schema}
        assert types == {n: FEATURES[n].dtype.replace("float32", "float") for n in names()}
        frame = table.select(KEYS).to_pandas()
        assert frame.equals(frame.sort_values(KEYS, ignore_index=True))
        months = pd.to_datetime(frame.timestamp, unit="s").dt.strftime("%Y-%m").unique()
        assert [f"event_month={month}" for month in months] == [folder.name]


def write(folder, parts: list[list[tuple]], items=None):
    """Write a data set folder whose interactions are in several files; None is null."""
    (folder / "interactions.parquet").mkdir(parents=True)
    for number, rows in enumerate(parts):
        columns = list(zip(*rows, strict=True)) or [[]] * 4
        types = [field.with_nullable(True) for field in schema.INTERACTIONS]
        table = pa.table([list(c) for c in columns], schema=pa.schema(types))
        pq.write_table(table, folder / "interactions.parquet" / f"part-{number}.parquet")
    if items is None:
        items = {"item_id": [1, 2], "release_year": [1990, None], "genres": [["Drama"], []]}
    items = {"title": ["a"] * 2, "entity_id": [None] * 2} | items
    pq.write_table(pa.table(items, schema=schema.ITEMS), folder / "items.parquet")
    return folder


def test_bad_rows_are_set_aside_with_their_reason(engine, tmp_path):
    good = [(1, 1, 4.0, 100), (1, 2, 3.0, 200), (2, 1, 5.0, NOW), (3, 99, 2.0, 0)]
    bad = {
        "missing value": [(None, 1, 3.0, 10), (1, None, 3.0, 10), (1, 1, None, 10),
                          (1, 1, 3.0, None), (1, 1, math.nan, 100), (1, 1, math.inf, 11)],
        "timestamp in the future": [(1, 1, 3.0, NOW + 1), (1, 1, 3.0, NOW + 1)],
        "timestamp before 1970": [(2, 2, 3.0, -1)],
        "duplicate": [(1, 1, 4.0, 100), (1, 2, 2.5, 200), (1, 2, 2.0, 200)],
    }  # fmt: skip
    everything = [row for rows in bad.values() for row in rows] + good
    source = write(tmp_path / "in", [everything[::2], [], everything[1::2]])
    report = build_samples(source, tmp_path / "out", now=NOW, spark=engine)
    assert report["rows"] == {"read": 16, "written": 4, "rejected": 12}
    assert report["rejected"] == {reason: len(rows) for reason, rows in bad.items()}
    assert report["without_metadata"] == {"items": 1, "rows": 1}
    aside = pd.read_parquet(tmp_path / "out" / "quarantine")
    for reason, rows in bad.items():
        found = aside[aside.reason == reason][schema.INTERACTIONS.names]
        as_text = sorted(str([None if pd.isna(v) else float(v) for v in r]) for r in found.values)
        wanted = [[None if v is None or v != v else float(v) for v in row] for row in rows]
        assert as_text == sorted(map(str, wanted))
    build_samples(write(tmp_path / "clean", [good]), tmp_path / "alone", now=NOW, spark=engine)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "out"), rows_of(tmp_path / "alone"))
    orphan = rows_of(tmp_path / "out").iloc[0]
    assert orphan.item_id == 99
    assert orphan[["release_year", "item_genre_1", "user_rating_mean"]].isna().all()
    assert orphan.user_rating_count == 0  # a user with one event


@pytest.mark.parametrize("parts", [[[]], [[(1, 1, 3.0, NOW + 1)]]], ids=["empty", "all rejected"])
def test_no_sample_is_an_error_that_says_what_was_set_aside(engine, tmp_path, parts):
    source = write(tmp_path / "in", parts)
    with pytest.raises(DataError, match=f"gives no sample: {len(parts[0])} rows were read"):
        build_samples(source, tmp_path / "out", now=NOW, spark=engine)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.rename_columns(["user_id", "item_id", "stars", "timestamp"]), "no column 'ra"),
        (lambda t: t.set_column(2, "rating", [["four"]]), "'rating' of .* is string"),
        (lambda t: t.set_column(3, "timestamp", [[1.5]]), "'timestamp' of .* is double"),
    ],
    ids=["missing", "text", "fraction"],
)
def test_a_file_of_another_form_is_refused(engine, tmp_path, change, message):
    """The second file of a folder counts as much as the first."""
    source = write(tmp_path / "in", [[(1, 1, 4.0, 100)], [(1, 1, 4.0, 101)]])
    file = source / "interactions.parquet" / "part-1.parquet"
    pq.write_table(change(pq.read_table(file)), file)
    with pytest.raises(DataError, match=message):
        build_samples(source, tmp_path / "out", now=NOW, spark=engine)
    assert not (tmp_path / "out").exists()


def test_narrower_types_are_read(engine, tmp_path):
    source = write(tmp_path / "in", [[(1, 1, 4.0, 100)], [(2, 1, 3.5, 101)]])
    file = source / "interactions.parquet" / "part-1.parquet"
    narrow = pa.schema([("user_id", "int32"), ("item_id", "int16"), ("rating", "float64"),
                        ("timestamp", "int64")])  # fmt: skip
    pq.write_table(pq.read_table(file).cast(narrow), file)
    build_samples(source, tmp_path / "out", "year", now=NOW, spark=engine)
    assert rows_of(tmp_path / "out").rating.tolist() == [4.0, 3.5]


@pytest.mark.parametrize(
    ("ids", "message"), [([1, 1], "2 rows for item 1"), ([1, None], "1 rows without an item_id")]
)
def test_items_that_would_double_rows_are_refused(engine, tmp_path, ids, message):
    items = {"item_id": ids, "release_year": [1990, 1991], "genres": [[], []]}
    nullable = schema.ITEMS.set(0, pa.field("item_id", pa.int64()))
    source = write(tmp_path / "in", [[(1, 1, 4.0, 100)]])
    table = pa.table(items | {"title": [None] * 2, "entity_id": [None] * 2}, schema=nullable)
    pq.write_table(table, source / "items.parquet")
    with pytest.raises(DataError, match=message):
        build_samples(source, tmp_path / "out", now=NOW, spark=engine)


def test_only_an_earlier_result_is_replaced(engine, tmp_path):
    source = write(tmp_path / "in", [[(1, 1, 4.0, 100)]])
    with pytest.raises(RecsysError, match="which this program did not write"):
        build_samples(source, source, now=NOW, spark=engine)
    with pytest.raises(DataError, match=r"not by 'months'.*'month'"):
        build_samples(source, tmp_path / "out", "months", now=NOW, spark=engine)
    (source / "items.parquet").write_text("damaged")
    with pytest.raises(DataError, match="cannot be read"):
        build_samples(source, tmp_path / "out", now=NOW, spark=engine)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_all_families_read_who_people_are_where_it_is_known(engine, tmp_path):
    source = write(tmp_path / "in", [[(1, 1, 4.0, 100), (2, 2, 3.0, 200)]])
    every = names(all_families=True)
    build_samples(source, tmp_path / "without", now=NOW, columns=every, spark=engine)
    users = {"user_id": [2], "age": [30], "gender": ["F"], "occupation": [None], "zip_code": ["9"]}
    pq.write_table(pa.table(users, schema=schema.USERS), source / "users.parquet")
    build_samples(source, tmp_path / "with", now=NOW, columns=every, spark=engine)
    without, known = rows_of(tmp_path / "without"), rows_of(tmp_path / "with")
    assert set(without.columns) == {*every, "event_month"}
    assert without.user_age.isna().all()
    assert known.user_age.tolist()[1] == 30
    assert known.user_region.tolist() == [None, "9"]
    assert [list(words) for words in known.item_title_words] == [[], []]  # "a" is a stop word
