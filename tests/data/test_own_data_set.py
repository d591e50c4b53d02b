"""A person's own table as a data set: named columns, ids of any kind, nothing guessed silently."""

import json

import pandas as pd
import pytest

from recsys_lib.data import Request, get, load
from recsys_lib.data.columns import INTERACTION_ROLES, parse_columns
from recsys_lib.data.integrity import problems
from recsys_lib.data.reading import Meaning
from recsys_lib.data.tables import TextForm
from recsys_lib.errors import DataError

COLUMNS = {"user": "uid", "item": "sku", "timestamp": "when", "rating": "stars"}


@pytest.fixture
def orders(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "when,uid,sku,stars,note\n"
        '1970-01-01T00:50:00Z,ann,A-1,4.7,"nice, really"\n'
        "1000,bob,B-2,-1,\n"
        "1970-01-01 00:33:20,ann,B-2,10,\n"
        "yesterday,ann,B-2,10,\n"
        "4000,,B-2,10,\n",
        encoding="utf-8",
    )
    return path


def rejects_of(dataset) -> list[tuple]:
    frame = pd.read_parquet(dataset.path / "rejects.parquet")
    return sorted(
        frame[["file", "line", "column", "value", "reason"]].itertuples(index=False, name=None)
    )


def test_ids_are_numbered_in_their_order_and_kept(orders):
    dataset = get(Request("shop", source=orders, columns=COLUMNS))
    rows = dataset.interactions
    assert dataset.user_ids.raw_of(rows["user_id"]).tolist() == ["bob", "ann", "ann"]
    assert dataset.item_ids.raw_of(rows["item_id"]).tolist() == ["B-2", "B-2", "A-1"]
    assert rows["user_id"].tolist() == [1, 0, 0]  # ann comes before bob, whoever comes first
    assert rows["rating"].tolist() == pytest.approx([-1, 10, 4.7])
    assert rows["timestamp"].tolist() == [1000, 2000, 3000]
    users = pd.read_parquet(dataset.path / "user_ids.parquet")
    assert users.to_numpy().tolist() == [[0, "ann"], [1, "bob"]]
    assert dataset.items["item_id"].tolist() == [0, 1]
    assert dataset.items["title"].isna().all()
    assert dataset.items["genres"].tolist() == [[], []]
    assert rejects_of(dataset) == [
        ("orders.csv", 5, "when", "yesterday", "no moment in time"),
        ("orders.csv", 6, "uid", "", "no id"),
    ]
    assert dataset.description["rejects"] == {"no moment in time": 1, "no id": 1}
    assert dataset.columns == ("user_id", "item_id", "rating", "timestamp")
    assert problems(dataset) == []


def test_whole_numbers_keep_themselves(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("u,i,t\n70,7,3\n5,007,2\n")
    columns = {"user": "u", "item": "i", "timestamp": "t"}
    dataset = get(Request("mine", source=path, columns=columns))
    assert dataset.interactions["user_id"].tolist() == [5, 70]
    assert dataset.user_ids is None
    assert dataset.item_ids.raw_of(dataset.interactions["item_id"]).tolist() == ["007", "7"]
    assert dataset.interactions["rating"].tolist() == [5.0, 5.0]
    assert dataset.columns == ("user_id", "item_id", "timestamp")


def test_items_of_ones_own(orders, tmp_path):
    items = tmp_path / "items.csv"
    items.write_text("sku,title,year,genres\nB-2,Bee,1999,Insect|Small\nC-3,Sea,,\nB-2,Again,,\n")
    dataset = get(Request("shop", source=orders, columns=COLUMNS, items=items))
    assert dataset.item_ids.raw_of(dataset.items["item_id"]).tolist() == ["B-2", "C-3"]
    assert dataset.items["title"].tolist() == ["Bee", "Sea"]
    assert dataset.items["genres"].tolist() == [["Insect", "Small"], []]
    assert dataset.items["release_year"].tolist()[0] == 1999
    assert len(dataset.interactions) == 2
    assert rejects_of(dataset)[0] == ("items.csv", 4, "item_id", "B-2", "duplicate")
    assert ("orders.csv", 2, "sku", "A-1", "orphan item") in rejects_of(dataset)


def test_items_whose_columns_are_named(orders, tmp_path):
    items = tmp_path / "things.tsv"
    items.write_text("code\tcalled\tmade\ttags\nA-1\tAce\t1995-03-01\tx\nB-2\tBee\t20010101\ty|z\n")
    named = {"item": "code", "title": "called", "year": "made", "genres": "tags"}
    request = Request("shop", source=orders, columns=COLUMNS, items=items, item_columns=named)
    said = []
    found = get(request, say=said.append).items
    assert said.index("things.tsv: a text file, columns separated by tab, utf-8") < said.index(
        "read as: item = code, title = called, year = made, genres = tags"
    )
    assert found["title"].tolist() == ["Ace", "Bee"]
    assert found["release_year"].tolist() == [1995, 2001]
    assert found["genres"].tolist() == [["x"], ["y", "z"]]


def test_years_that_are_none_are_left_empty_and_said(orders, tmp_path):
    items = tmp_path / "items.csv"
    items.write_text("sku,year\nA-1,1995.5\nB-2,99999\nC-3,soon\nD-4,2001\n")
    said = []
    request = Request("shop", source=orders, columns=COLUMNS, items=items)
    years = get(request, say=said.append).items["release_year"]
    assert years.isna().tolist() == [True, True, True, False]
    assert any("3 values are no year, such as '1995.5' (line 2)" in line for line in said)


def test_what_was_understood_is_said_before_the_work(orders):
    said = []
    get(Request("shop", source=orders, columns=COLUMNS), say=said.append)
    text = "\n".join(said)
    assert said[0] == "orders.csv: a text file, columns separated by comma, utf-8"
    assert "read as: user = uid, item = sku, rating = stars, timestamp = when" in said
    assert "stars runs from -1 to 10" in text
    assert "set aside: orders.csv, line 5: when 'yesterday': no moment in time" in said


def test_columns_are_found_by_their_usual_names(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("User-ID\tMOVIE_ID\tStars\tWhen\n1\t2\t3\t1500000000\n")
    dataset = get(Request("mine", source=path))
    assert dataset.interactions.iloc[0].tolist() == [1, 2, 3, 1500000000]


def test_columns_by_number_where_there_is_no_header(tmp_path):
    path = tmp_path / "x.data"
    path.write_text("7;5;2017-07-14;8\n")
    columns = {"user": "4", "item": "1", "timestamp": "3", "rating": "2"}
    dataset = get(Request("mine", source=path, columns=columns, form=TextForm(header=False)))
    assert dataset.interactions.iloc[0].tolist() == [8, 7, 5, 1499990400]


def test_a_scale_and_a_threshold(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("user,item,rating\n1,1,10\n1,2,7\n1,3,6.9\n1,4,1\n1,5,-1\n")
    dataset = get(Request("mine", source=path, meaning=Meaning(scale=(1, 10), like=7)))
    assert dataset.interactions["rating"].tolist() == pytest.approx([5, 3.5, 3.45, 0.5])
    assert dataset.description["rejects"] == {"rating out of range": 1}
    assert dataset.description["rating_scale"] == {
        "source_low": 1,
        "source_high": 10,
        "source_like": 7,
    }


def test_columns_as_text():
    text = "user=uid, item=sku,rating=stars,timestamp=when"
    assert parse_columns(text, INTERACTION_ROLES, "--columns") == COLUMNS
    with pytest.raises(DataError, match=r"Did you mean 'rating'\?"):
        parse_columns("user=u,item=i,timestamp=t,ratng=r", INTERACTION_ROLES, "--columns")
    with pytest.raises(DataError, match=r"does not understand 'user'\. Write"):
        parse_columns("user", INTERACTION_ROLES, "--columns")
    with pytest.raises(DataError, match="user is named twice"):
        parse_columns("user=u,user=v", INTERACTION_ROLES, "--columns")


def test_a_column_that_is_not_there(orders):
    columns = {"user": "customer", "item": "sku"}
    with pytest.raises(DataError, match=r"no column 'customer'\. Its columns: 'when'"):
        get(Request("shop", source=orders, columns=columns))
    orders.write_text("uid,thing\n1,2\n")
    with pytest.raises(DataError, match=r"called like the item: .* \(--columns item=NAME\)"):
        get(Request("shop", source=orders))


@pytest.mark.parametrize(
    ("head", "columns", "said"),
    [
        ("user,item,rating,rating", None, "2 columns called 'rating'"),
        (
            "user,item,Rating,RATING",
            {"user": "user", "item": "item", "rating": "rating"},
            "exactly",
        ),
        ("user,item,User,x", None, "'user' and 'User'"),
        ("user,x,y,z", {"user": "user", "item": "USER"}, "cannot be both"),
    ],
)
def test_columns_that_are_ambiguous(tmp_path, head, columns, said):
    path = tmp_path / "x.csv"
    path.write_text(head + "\n1,2,3,4\n")
    with pytest.raises(DataError, match=said):
        get(Request("mine", source=path, columns=columns))


def test_nothing_that_can_be_used_is_an_error_and_names_a_row(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("user,item,rating\n,2,3\n5,,4\n")
    with pytest.raises(DataError, match=r"x\.csv, line 2: user '': no id"):
        get(Request("mine", source=path))


def test_a_cut_description_is_said(orders):
    dataset = get(Request("shop", source=orders, columns=COLUMNS))
    text = (dataset.path / "dataset.json").read_text()
    (dataset.path / "dataset.json").write_text(text[: len(text) // 2])
    with pytest.raises(DataError, match="damaged"):
        assert load("shop").description
    with pytest.raises(json.JSONDecodeError):
        json.loads((dataset.path / "dataset.json").read_text())


def test_names_and_options_that_contradict(orders):
    with pytest.raises(DataError, match="published data set"):
        get(Request("ml-1m", source=orders, columns=COLUMNS))
    with pytest.raises(DataError, match="--from"):
        Request("shop", columns=COLUMNS)
    with pytest.raises(DataError, match="not both"):
        Request("ml-1m", mirror="http://x", source=orders)
    with pytest.raises(DataError, match="--items"):
        Request("shop", source=orders, item_columns={"item": "x"})
