"""What every feature store promises: whole versions, types, ages, one earlier version."""

import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from recsys_lib.errors import DataError
from recsys_lib.stores import ItemFeatureTable

TYPES = {
    "vector": "float32[3]",
    "top": "int64[4]",
    "score": "float64",
    "active": "bool",
    "words": "strings",
}


def counts(n_users: int, count: int) -> pd.DataFrame:
    """Return users that all have the same count: a version shows in every row of it."""
    count_column = np.full(n_users, count, np.int32)
    return pd.DataFrame({"user_id": np.arange(n_users), "user_rating_count": count_column})


@pytest.fixture
def rich() -> pd.DataFrame:
    """All types a store keeps; the second user has every value missing."""
    return pd.DataFrame(
        {
            "user_id": [7, -3, 2**62],
            "user_liked_item_1": pd.array([2**53 + 1, None, 1], dtype="Int64"),
            "user_rating_mean": np.array([1 / 3, np.nan, -0.0], np.float32),
            "user_genre_1": ["纪录片 | é:\n\"'", None, ""],
            "vector": [np.array([1e-38, -0.0, 3.4e38], np.float32), None, np.ones(3, np.float32)],
            "top": [[1, 2, 3, -1], None, [2**62, 0, 0, 0]],
            "score": [0.1, None, 1e300],
            "active": pd.array([True, None, False], dtype="boolean"),
            "words": [["a", "b"], None, []],
        }
    )


def test_values_come_back_with_their_types_to_the_last_bit(new_store, rich):
    store = new_store(types=TYPES)
    store.publish(rich, "1")
    first, second, third = store.read_many(rich["user_id"]).rows
    assert second == {"user_id": -3}
    for row, place in ((first, 0), (third, 2)):
        written = rich.iloc[place]
        assert row["user_id"] == written["user_id"]
        for name in ("user_liked_item_1", "user_genre_1", "score", "active", "words"):
            assert row[name] == written[name]
        read = np.float32(row["user_rating_mean"])
        assert read.tobytes() == written["user_rating_mean"].tobytes()
        assert row["vector"].dtype == np.float32
        assert row["vector"].tobytes() == np.asarray(written["vector"]).tobytes()
        assert row["top"].dtype == np.int64
        assert row["top"].tolist() == written["top"]
    kinds = {name: type(value) for name, value in first.items() if name not in ("vector", "top")}
    assert kinds == {
        "user_id": int,
        "user_liked_item_1": int,
        "user_rating_mean": float,
        "user_genre_1": str,
        "score": float,
        "active": bool,
        "words": list,
    }


def test_every_user_comes_back_as_written(new_store, users):
    store = new_store()
    store.publish(users, "1")
    for _, row in users.iterrows():
        assert store.read(row["user_id"]) == row.dropna().to_dict()


def test_an_arrow_table_is_taken_as_well(new_store):
    store = new_store(types={"vector": "float32[2]"})
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(6, dtype=np.float32)), 2)
    store.publish(pa.table({"user_id": [3, 1, 2], "vector": vectors}), "1")
    assert [row["vector"].tolist() for row in store.read_many([1, 2, 3]).rows] == [
        [2.0, 3.0],
        [4.0, 5.0],
        [0.0, 1.0],
    ]


def test_a_batch_equals_its_users_one_by_one(new_store, users):
    store = new_store()
    store.publish(users, "1")
    asked = [*users["user_id"][::-1], 5, users["user_id"].iloc[0], -1]
    answer = store.read_many(asked)
    assert answer.keys.tolist() == asked
    assert answer.rows == [store.read(key) for key in asked]
    assert [row is None for row in answer.rows] == [key not in set(users.user_id) for key in asked]
    assert store.read_many([]).rows == []


def test_before_the_first_version_nobody_is_known(new_store):
    store = new_store()
    answer = store.read_many([1, 2])
    assert (answer.version, answer.rows) == (None, [None, None])
    assert np.isnan(answer.age_s).all()
    assert store.current() is store.previous() is None
    with pytest.raises(DataError, match="no earlier version"):
        store.roll_back()


def test_a_version_without_rows_is_one(new_store):
    store = new_store()
    store.publish(counts(0, 1), "1")
    assert store.current().n_rows == 0
    assert store.read(1) is None


def test_a_new_version_takes_the_place_of_the_old_one_and_can_be_rolled_back(new_store, clock):
    store = new_store()
    store.publish(counts(3, 1), "1")
    clock.now += 10
    store.publish(counts(2, 2), "2", as_of=clock.now - 5)
    assert (store.current().name, store.previous().name) == ("2", "1")
    assert (store.current().published, store.current().as_of) == (clock.now, clock.now - 5)
    assert store.read_many([0, 2]).rows == [{"user_id": 0, "user_rating_count": 2}, None]

    assert store.roll_back().name == "1"
    assert (store.current().name, store.previous().name) == ("1", "2")
    assert store.read(2) == {"user_id": 2, "user_rating_count": 1}
    assert store.read_many([2]).version == store.current()
    assert store.roll_back().name == "2"
    assert store.read(2) is None

    store.publish(counts(1, 3), "3")
    assert (store.current().name, store.previous().name) == ("3", "2")


def test_columns_may_change_from_version_to_version(new_store, users):
    store = new_store(types={"vector": "float32[1]"})
    store.publish(users, "1")
    store.publish(pd.DataFrame({"user_id": [10], "vector": [[0.5]]}), "2")
    assert store.read(10).keys() == {"user_id", "vector"}
    store.roll_back()
    assert store.read(10)["user_rating_count"] == users["user_rating_count"].iloc[0]


def test_a_name_is_used_once(new_store):
    store = new_store()
    store.publish(counts(1, 1), "1")
    store.publish(counts(1, 2), "2")
    for taken in ("1", "2"):
        with pytest.raises(DataError, match="already"):
            store.publish(counts(1, 3), taken)
    assert store.read(0)["user_rating_count"] == 2


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "x" * 65, "a b"])
def test_what_can_not_name_a_version_is_refused(new_store, name):
    with pytest.raises(DataError, match="no name for a version"):
        new_store().publish(counts(1, 1), name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shoe_size": 42}, "shoe_size.*types="),
        ({"item_rating_count": 1}, "item_rating_count"),
        ({"user_rating_count": "many"}, "type"),
        ({"user_rating_count": 2.5}, "type"),
        ({"user_id": 1}, "user_id 1 stands in more than one row"),
        ({"user_id": None}, "have no user_id"),
        ({"vector": [[0.5, 0.5]] * 2}, "type"),
    ],
)
def test_wrong_tables_are_refused_and_change_nothing(new_store, change, message):
    store = new_store(types={"vector": "float32[3]"})
    store.publish(counts(2, 1), "1")
    with pytest.raises(DataError, match=message):
        store.publish(counts(2, 2).assign(**change), "2")
    assert store.current().name == "1"
    assert store.read(1)["user_rating_count"] == 1


def test_a_table_without_the_key_and_a_type_that_is_none_are_refused(new_store):
    with pytest.raises(DataError, match="no column 'user_id'"):
        new_store().publish(pd.DataFrame({"user_rating_count": [1]}), "1")
    for wrong in ("float16", "float32[]", "text[3]"):
        with pytest.raises(DataError, match="has the type"):
            new_store(types={"x": wrong}).publish(pd.DataFrame({"user_id": [1], "x": [1]}), "1")


def test_every_answer_has_an_age_and_what_is_past_its_time_is_missing(new_store, clock):
    store = new_store(ttl_s=60)
    rows = counts(3, 1).assign(timestamp=[clock.now - 100, clock.now - 50, clock.now])
    store.publish(rows, "1")
    answer = store.read_many([0, 1, 2, 3])
    assert answer.age_s[:3].tolist() == [100, 50, 0]
    assert np.isnan(answer.age_s[3])
    assert [row is None for row in answer.rows] == [True, False, False, True]
    clock.now += 11
    assert [row is None for row in store.read_many([0, 1, 2]).rows] == [True, True, False]
    clock.now += 50
    assert store.read(2) is None


def test_ages_count_from_the_cut_off_of_the_batch_not_from_its_publishing(new_store, clock):
    """A job that took two hours publishes values that are two hours old."""
    store = new_store(ttl_s=7_300)
    store.publish(counts(1, 1), "1", as_of=clock.now - 7_200)
    assert store.read_many([0]).age_s.tolist() == [7_200]
    clock.now += 101
    assert store.read(0) is None


def test_publishing_again_does_not_make_old_values_young(new_store, clock):
    store = new_store(ttl_s=60)
    rows = counts(1, 1).assign(timestamp=clock.now)
    store.publish(rows, "1")
    clock.now += 100
    store.publish(rows, "2")
    assert store.read(0) is None
    assert store.read_many([0]).age_s.tolist() == [100]


def test_readers_see_one_whole_version_through_many_publishes(new_store):
    """The fault of the store before: a reader took the version, then its rows were removed."""
    store, n_users, n_versions = new_store(), 50, 60
    store.publish(counts(n_users, 0), "v0")
    done, faults, reads = threading.Event(), [], []

    def read():
        rng = np.random.default_rng(len(reads))
        reads.append(0)
        me = len(reads) - 1
        while not done.is_set():
            answer = store.read_many(rng.permutation(n_users)[:5])
            seen = {row and row["user_rating_count"] for row in answer.rows}
            if seen != {int(answer.version.name[1:])}:
                faults.append((answer.version.name, seen))
            reads[me] += 1

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for version in range(1, n_versions):
        store.publish(counts(n_users, version), f"v{version}")
        if version % 10 == 0:
            store.roll_back()
            store.roll_back()
    done.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert min(reads) > 0


def test_a_publish_that_breaks_leaves_the_old_version(new_store, monkeypatch):
    store = new_store()
    store.publish(counts(3, 1), "1")
    with monkeypatch.context() as patch:
        patch.setattr("recsys_lib.stores.rows.RowFormat.pack", _broken)
        patch.setattr("pyarrow.parquet.write_table", _broken)
        with pytest.raises(OSError, match="disk"):
            store.publish(counts(3, 2), "2")
    assert store.current().name == "1"
    assert store.read(0)["user_rating_count"] == 1
    store.publish(counts(3, 2), "2")
    assert store.read(0)["user_rating_count"] == 2


def _broken(*_, **__):
    raise OSError("the disk is gone")


def test_items_are_found_by_id_in_any_order(item_frame, new_store):
    store = new_store(key="item_id")
    store.publish(item_frame, "1")
    asked = [7, 1, 7]
    assert [row["item_id"] for row in store.read_many(asked).rows] == asked
    table = ItemFeatureTable(item_frame)
    assert table.frame["item_id"].iloc[table.rows_of(asked)].tolist() == asked


def test_an_unknown_item_is_named(item_frame):
    with pytest.raises(DataError, match="item 4711"):
        ItemFeatureTable(item_frame).rows_of([1, 4711])


def test_an_item_with_two_rows_is_refused(item_frame):
    with pytest.raises(DataError, match="more than one row"):
        ItemFeatureTable(pd.concat([item_frame, item_frame[:1]]))
