"""A person's own CSV: named columns, ids of any kind, times as seconds or as text."""

import pandas as pd
import pytest

from recsys_lib.data import Request, get
from recsys_lib.data.integrity import problems
from recsys_lib.data.user_file import Columns
from recsys_lib.errors import DataError

COLUMNS = Columns(user="uid", item="sku", timestamp="when", rating="stars")


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


def test_ids_are_numbered_in_order_of_appearance_and_kept(orders):
    dataset = get(Request("shop", source=orders, columns=COLUMNS))
    rows = dataset.interactions
    assert rows["user_id"].tolist() == [2, 1, 1]
    assert rows["item_id"].tolist() == [2, 2, 1]
    assert rows["rating"].tolist() == pytest.approx([-1, 10, 4.7])
    assert rows["timestamp"].tolist() == [1000, 2000, 3000]
    users = pd.read_parquet(dataset.path / "user_ids.parquet")
    assert users.to_numpy().tolist() == [[1, "ann"], [2, "bob"]]
    items = pd.read_parquet(dataset.path / "item_ids.parquet")
    assert items.to_numpy().tolist() == [[1, "A-1"], [2, "B-2"]]
    assert dataset.items["item_id"].tolist() == [1, 2]
    assert dataset.items["title"].isna().all()
    assert dataset.items["genres"].tolist() == [[], []]
    assert dataset.description["rejects"] == {"malformed": 2}
    assert problems(dataset) == []


def test_whole_numbers_keep_themselves(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("u,i,t\n70,7,3\n5,007,2\n")
    dataset = get(Request("mine", source=path, columns=Columns("u", "i", "t")))
    assert dataset.interactions["user_id"].tolist() == [5, 70]
    assert dataset.interactions["item_id"].tolist() == [2, 1]  # '7' and '007' are two items
    assert dataset.interactions["rating"].tolist() == [5.0, 5.0]
    assert not (dataset.path / "user_ids.parquet").exists()
    assert (dataset.path / "item_ids.parquet").exists()


def test_items_of_ones_own(orders, tmp_path):
    items = tmp_path / "items.csv"
    items.write_text("sku,title,year,genres\nB-2,Bee,1999,Insect|Small\nC-3,Sea,,\nB-2,Again,,\n")
    dataset = get(Request("shop", source=orders, columns=COLUMNS, items=items))
    assert dataset.items["title"].tolist() == ["Bee", "Sea"]
    assert dataset.items["genres"].tolist() == [["Insect", "Small"], []]
    assert dataset.items["release_year"].tolist()[0] == 1999
    assert len(dataset.interactions) == 2
    assert dataset.description["rejects"] == {"malformed": 2, "orphan item": 1, "duplicate": 1}


def test_columns_as_text():
    assert Columns.parse("user=uid, item=sku,rating=stars,timestamp=when") == COLUMNS
    with pytest.raises(DataError, match=r"Did you mean 'rating'\?"):
        Columns.parse("user=u,item=i,timestamp=t,ratng=r")
    with pytest.raises(DataError, match="must also name item, timestamp"):
        Columns.parse("user=u")


def test_a_column_that_is_not_there(orders):
    with pytest.raises(DataError, match="no column 'customer'; its first line names: 'when'"):
        get(Request("shop", source=orders, columns=Columns("customer", "sku", "when")))


def test_names_and_options_that_contradict(orders):
    with pytest.raises(DataError, match="published data set"):
        get(Request("ml-1m", source=orders, columns=COLUMNS))
    with pytest.raises(DataError, match="by --from"):
        Request("shop", columns=COLUMNS)
    with pytest.raises(DataError, match="not both"):
        Request("ml-1m", mirror="http://x", source=orders)
