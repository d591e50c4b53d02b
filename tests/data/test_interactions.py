"""Interactions of a person's own: from a frame and from a file alike, with their ids outside."""

import uuid

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data import Interactions
from recsys_lib.data.item_table import items_for, read_items
from recsys_lib.data.rejects import Rejects
from recsys_lib.data.writing import check_output, write_table
from recsys_lib.errors import DataError


def csv(folder, text, name="train.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def raw_pairs(table: Interactions) -> list[tuple]:
    return list(table.to_frame()[["user_id", "item_id"]].itertuples(index=False, name=None))


def test_from_frame_with_named_columns():
    df = pd.DataFrame(
        {
            "uid": ["ann", "bob", "ann", None],
            "sku": ["007", "7", "007", "7"],
            "stars": [4, 2, 5, 3],
            "when": pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-02", "2020-01-03"]),
        }
    )
    table = Interactions.from_frame(df, user="uid", item="sku", rating="stars", timestamp="when")
    assert table.frame.dtypes.map(str).to_dict() == {
        "user_id": "int64",
        "item_id": "int64",
        "rating": "float32",
        "timestamp": "int64",
    }
    assert raw_pairs(table) == [("bob", "7"), ("ann", "007")]
    assert table.frame["rating"].tolist() == [2, 5]  # of a repeat the higher
    assert table.frame["timestamp"].tolist() == [1_577_836_800, 1_577_923_200]
    assert table.columns == {
        "user_id": "uid",
        "item_id": "sku",
        "rating": "stars",
        "timestamp": "when",
    }
    assert table.rejects[["row", "column", "reason"]].to_numpy().tolist() == [
        [0, "timestamp", "duplicate"],
        [3, "uid", "no id"],
    ]
    assert table.user_codes(["bob", "eve"]).tolist() == [1, -1]
    assert table.items([0]).tolist() == ["007"]


def test_without_rating_and_timestamp_it_says_what_it_takes(tmp_path):
    table = Interactions.from_frame(pd.DataFrame({"item": ["b", "a"], "user": [2, 1]}))
    assert table.frame["rating"].tolist() == [5, 5]
    assert table.frame["timestamp"].tolist() == [0, 1]
    assert raw_pairs(table) == [(2, "b"), (1, "a")]
    assert len(table.notes) == 2
    assert set(table.columns) == {"user_id", "item_id"}


def test_a_column_may_be_left_out():
    df = pd.DataFrame({"user_id": [1], "item_id": [2], "rating": [1], "timestamp": [1_500_000_000]})
    assert Interactions.from_frame(df, rating="").frame["rating"].tolist() == [5]
    assert Interactions.from_frame(df, timestamp="").frame["timestamp"].tolist() == [0]


def test_ids_whose_rows_are_set_aside_are_no_users():
    df = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "rating": [1, np.nan]})
    table = Interactions.from_frame(df)
    assert list(table.user_ids.values) == ["a"]
    assert list(table.item_ids.values) == ["x"]


def test_columns_of_a_frame_that_bear_our_names():
    df = pd.DataFrame({"user_id": ["x", "y"], "uid": [1, 2], "item_id": [3, 4], "sku": ["a", "b"]})
    assert raw_pairs(Interactions.from_frame(df, user="uid", item="sku")) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("df", "message"),
    [
        (pd.DataFrame({"user": [1], "thing": [2]}), r"called like the item.*from_frame: item=NAME"),
        (pd.DataFrame({"user": [1, "a"], "item": [2, 3]}), "int and str"),
        (pd.DataFrame({"user": [1], "item": [None]}), "row 0: item '': no id"),
        (pd.DataFrame({"user": [], "item": []}), "holds no rows"),
        (pd.DataFrame([[1, 2, 3]], columns=["user", "item", "item"]), "2 columns called 'item'"),
        (pd.DataFrame({"user": [1], "item": [2], "timestamp": [15_000]}), "time_unit='D'"),
        (pd.DataFrame({"user": [1], "item": [2], "timestamp": [3e9]}), "time_unit"),
        (pd.DataFrame({"user": [1.5], "item": [2]}), "1.5"),
    ],
)
def test_what_is_wrong_is_said(df, message):
    with pytest.raises(DataError, match=message):
        Interactions.from_frame(df)


def test_a_misspelt_setting_is_refused():
    df = pd.DataFrame({"user": [1], "item": [2], "timestamp": [1_500_000_000]})
    with pytest.raises(TypeError, match="timeunit"):
        Interactions.from_frame(df, timeunit="s")
    with pytest.raises(DataError, match="must be s, ms, us"):
        Interactions.from_frame(df, time_unit="hours")
    with pytest.raises(DataError, match="Did you mean 'Europe/Berlin'"):
        Interactions.from_frame(df, time_zone="Europe/Berln")
    with pytest.raises(DataError, match="low number to a higher"):
        Interactions.from_frame(df, scale=(5, 1))


def test_ids_of_a_text_file(tmp_path):
    text = 'user,item,rating,timestamp\n007,"a, ""b""",5,1\n7,电影,5,2\nNA,null,5,3\n'
    assert raw_pairs(Interactions.from_file(csv(tmp_path, text))) == [
        ("007", 'a, "b"'),
        ("7", "电影"),
        ("NA", "null"),
    ]


def test_bad_rows_name_line_column_value_and_reason(tmp_path):
    lines = ["user,item,rating,timestamp", "1,2,5,10", ",2,5,10", "1,,5,10", "1,3,five,10"]
    lines += ["1,4,5,soon", "1,5,inf,10", "1,2", "1,6,5,11", "1,2,3,12"]
    table = Interactions.from_file(csv(tmp_path, "\n".join(lines) + "\n"))
    assert table.rejects.drop(columns="file").to_numpy().tolist() == [
        [3, "user", "", "no id"],
        [4, "item", "", "no id"],
        [5, "rating", "five", "no number"],
        [6, "timestamp", "soon", "no moment in time"],
        [7, "rating", "inf", "no number"],
        [8, None, "1,2", "2 fields instead of 4"],
    ]
    assert raw_pairs(table) == [(1, 2), (1, 6), (1, 2)]


@pytest.mark.parametrize(
    "ids", [["u1", "u2", None], [5, 7, 6], [b"a", b"\xff", None], [2**63 + 1, 2**63 + 2, 5]]
)
def test_parquet_keeps_the_type_of_ids(tmp_path, ids):
    frame = pd.DataFrame({"user_id": ids, "item_id": ["x", "y", "z"], "rating": [5, 4, 3]})
    frame.to_parquet(tmp_path / "train.parquet")
    table = Interactions.from_file(tmp_path / "train.parquet")
    expected = [each for each in ids if each is not None]
    assert [user for user, _ in raw_pairs(table)] == expected
    assert len(table.rejects) == 3 - len(expected)


def test_items_are_matched_by_their_raw_ids(tmp_path):
    table = Interactions.from_file(csv(tmp_path, "user,item\n1,30\n1,10\n"))
    about = (
        "item,year,genres,people\n10,1999,Drama|Crime,a|b\n30,,,\n99,2000,Drama,c\n,1,,\n30,,,\n"
    )
    read, _, _ = read_items(csv(tmp_path, about, "items.csv"))
    aside = Rejects()
    items = items_for(table, read, aside)
    assert items["item_id"].tolist() == [10, 30]
    assert items["genres"].tolist() == [["Drama", "Crime"], []]
    assert items["people"].tolist() == [["a", "b"], []]
    assert items["release_year"].isna().tolist() == [False, True]
    assert aside.frame()[["line", "reason"]].to_numpy().tolist() == [[5, "no id"], [6, "duplicate"]]
    with pytest.raises(DataError, match="none of the items"):
        items_for(table, read_items(csv(tmp_path, "item\nx\n", "items.csv"))[0], aside)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_what_is_written_is_read_back(tmp_path, ending):
    frame = pd.DataFrame({"user": ["007", "a,b", "c\r"], "item": ["x\ty", 'q"', "d\ne"]})
    path = tmp_path / f"out.{ending}"
    write_table(frame, path)
    assert raw_pairs(Interactions.from_file(path)) == list(frame.itertuples(index=False, name=None))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "ids", [[uuid.UUID(int=5), uuid.UUID(int=3)], [b"\x00", b"a"], [2**64 - 1, 0]]
)
def test_parquet_is_written_with_the_type_of_the_ids(tmp_path, ids):
    table = Interactions.from_frame(pd.DataFrame({"user": ids, "item": [1, 2]}))
    path = tmp_path / "out.parquet"
    write_table(table.to_frame(), path, {"user_id": table.user_ids})
    assert raw_pairs(Interactions.from_file(path)) == raw_pairs(table)


def test_what_cannot_be_written_is_said_before_the_work(tmp_path):
    table = Interactions.from_frame(pd.DataFrame({"user": [b"a"], "item": [1]}))
    with pytest.raises(DataError, match=r"bytes.*name out\.parquet"):
        check_output(tmp_path / "out.csv", ids=(table.user_ids, table.item_ids))
    with pytest.raises(DataError, match="is what is read"):
        check_output(tmp_path / "x.csv", inputs=(tmp_path / "x.csv", None))
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        check_output(tmp_path / "d.csv")
    with pytest.raises(DataError, match=r"known are \.csv"):
        check_output(tmp_path / "x.xlsx")
