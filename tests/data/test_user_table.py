"""A person's own table: ids come back as they were, bad rows are counted, nothing is guessed."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.user_table import read_interactions, read_items, write_table
from recsys_lib.errors import DataError


def csv(folder, text, name="train.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def raw_pairs(table) -> list[tuple]:
    rows = table.interactions
    return list(zip(table.user_ids[rows["user_id"]], table.item_ids[rows["item_id"]], strict=True))


def test_whole_numbers_stay_numbers(tmp_path):
    table = read_interactions(
        csv(tmp_path, "userID,itemID,rating,timestamp\n9,70,4,20\n3,70,1.5,10\n")
    )
    assert raw_pairs(table) == [(3, 70), (9, 70)]  # in the order of time
    assert table.user_ids.dtype == np.int64
    assert table.interactions["rating"].tolist() == [1.5, 4]
    assert table.rejects == {}


def test_other_ids_stay_text_to_the_letter(tmp_path):
    text = 'user,item,rating,timestamp\n007,"a, ""b""",5,1\n7,电影,5,2\nNA,null,5,3\n'
    table = read_interactions(csv(tmp_path, text))
    assert raw_pairs(table) == [("007", 'a, "b"'), ("7", "电影"), ("NA", "null")]


def test_bad_rows_are_counted_by_reason(tmp_path):
    lines = ["user,item,rating,timestamp", "1,2,5,10", ",2,5,10", "1,,5,10", "1,3,five,10"]
    lines += ["1,4,5,soon", "1,5,inf,10", "1,2", "1,6,5,11", "1,2,3,12"]
    table = read_interactions(csv(tmp_path, "\n".join(lines) + "\n"))
    assert table.rejects == {
        "with a wrong number of fields": 1,
        "without a user": 1,
        "without an item": 1,
        "whose rating is no number": 2,
        "whose timestamp is no number or date": 1,
        "that a later row of the same pair replaces": 1,
    }
    assert raw_pairs(table) == [(1, 6), (1, 2)]
    assert table.interactions["rating"].tolist() == [5, 3]  # the latest of the pair 1, 2


def test_without_rating_and_timestamp_it_says_what_it_takes(tmp_path):
    table = read_interactions(csv(tmp_path, "item,user\nb,2\na,1\n"))
    assert table.interactions["rating"].tolist() == [5, 5]
    assert table.interactions["timestamp"].tolist() == [0, 1]
    assert len(table.notes) == 2


def test_dates_are_times(tmp_path):
    text = "user,item,rating,timestamp\n1,1,5,1970-01-02\n1,2,5,1970-01-01T00:00:07\n"
    assert read_interactions(csv(tmp_path, text)).interactions["timestamp"].tolist() == [7, 86_400]


@pytest.mark.parametrize("ids", [["u1", "u2", None], [5, 7, 6], [1.5, 2.5, np.nan]])
def test_parquet_keeps_the_type_of_ids(tmp_path, ids):
    frame = pd.DataFrame({"user_id": ids, "item_id": ["x", "y", "z"], "rating": [5, 4, 3]})
    frame.to_parquet(tmp_path / "train.parquet")
    table = read_interactions(tmp_path / "train.parquet")
    expected = [each for each in ids if not pd.isna(each)]
    assert [user for user, _ in raw_pairs(table)] == expected
    assert sum(table.rejects.values()) == 3 - len(expected)


def test_tabs_and_typed_names(tmp_path):
    text = "user_id:token\titem_id:token\trating:float\n1\t2\t3.5\n"
    assert raw_pairs(read_interactions(csv(tmp_path, text, "train.inter"))) == [(1, 2)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train.csv", "usr,item\n1,2\n", r"no column 'user'\. Did you mean 'usr'"),
        ("train.csv", "user,item,rating\n1,2,x\n", r"no row that can be used: 1 whose rating"),
        ("train.csv", "user,item\n", "no row that can be used: it is empty"),
        ("train.parquet", "user,item\n1,2\n", "cannot be read as Parquet"),
        ("train.xlsx", "user,item\n1,2\n", "the ending tells the format; known are .csv"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, name, text, message):
    with pytest.raises(DataError, match=message):
        read_interactions(csv(tmp_path, text, name))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        read_interactions(tmp_path / "none.csv")


def test_items_are_matched_by_their_raw_ids(tmp_path):
    table = read_interactions(csv(tmp_path, "user,item\n1,30\n1,10\n"))
    about = "item,year,genres,people\n10,1999,Drama|Crime,a|b\n30,,,\n99,2000,Drama,c\n"
    items = read_items(csv(tmp_path, about, "items.csv"), table.item_ids)
    assert table.item_ids[items["item_id"]].tolist() == [10, 30]
    assert items["genres"].tolist() == [["Drama", "Crime"], []]
    assert items["release_year"].isna().tolist() == [False, True]
    with pytest.raises(DataError, match="none of the items"):
        read_items(csv(tmp_path, "item\nx\n", "items.csv"), table.item_ids)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_what_is_written_is_read_back(tmp_path, ending):
    frame = pd.DataFrame({"user": ["007", "a,b"], "item": ["x\ty", 'q"']})
    path = tmp_path / f"out.{ending}"
    write_table(frame, path)
    assert raw_pairs(read_interactions(path)) == list(frame.itertuples(index=False, name=None))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
