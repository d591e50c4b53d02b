"""What is written is read, to the last bit; versions change whole; a dead server is told."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError
from recsys_lib.stores import ItemFeatureTable, RedisServer, StoreUnavailable, UserFeatureStore


def test_every_user_comes_back_as_written(store, users):
    for _, row in users.iterrows():
        assert store.read(row["user_id"]) == row.dropna().to_dict()


def test_types_survive(store, users):
    read = store.read(users["user_id"].iloc[0])
    assert isinstance(read["user_liked_item_1"], int)
    assert isinstance(read["user_rating_mean"], float)
    assert isinstance(read["user_genre_1"], str)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-38, 3.4e38, -0.0, 4.0])
def test_floats_come_back_to_the_last_bit(client, value):
    store = UserFeatureStore(client)
    frame = pd.DataFrame({"user_id": [1], "user_rating_mean": np.array([value], np.float32)})
    store.write(frame, version="1")
    read = np.float32(store.read(1)["user_rating_mean"])
    assert read.tobytes() == np.float32(value).tobytes()


def test_texts_of_any_letters_survive(client):
    store = UserFeatureStore(client)
    store.write(pd.DataFrame({"user_id": [1], "user_genre_1": ["纪录片 | é:"]}), version="1")
    assert store.read(1)["user_genre_1"] == "纪录片 | é:"


def test_an_unknown_user_is_none_also_before_the_first_version(client, users):
    store = UserFeatureStore(client)
    assert store.read(10) is None
    store.write(users, version="1")
    assert store.read(-1) is None


def test_a_user_without_any_value_is_known(store, users):
    assert store.read(users["user_id"].iloc[-1])["user_id"] == users["user_id"].iloc[-1]


def test_a_new_version_takes_the_place_of_the_old_one(store, users, client):
    store.write(users.iloc[:2], version="2")
    assert store.version() == "2"
    assert store.read(users["user_id"].iloc[5]) is None
    assert not list(client.scan_iter("user:1:*"))


def test_the_current_version_is_never_overwritten(store, users):
    with pytest.raises(DataError, match="there already"):
        store.write(users, version="1")


def test_features_expire_when_asked_to(client, users):
    UserFeatureStore(client, ttl_s=100).write(users, version="1")
    assert 0 < client.ttl("user:1:10") <= 100


def test_stores_of_different_prefix_do_not_meet(store, client, users):
    other = UserFeatureStore(client, prefix="other")
    assert other.read(users["user_id"].iloc[0]) is None


def test_a_column_that_is_no_user_feature_is_refused(client, users):
    with pytest.raises(DataError, match="shoe_size"):
        UserFeatureStore(client).write(users.assign(shoe_size=42), version="1")


def test_a_dead_server_is_told():
    with RedisServer() as server:
        store = UserFeatureStore(server.client())
    with pytest.raises(StoreUnavailable):
        store.read(1)
    with pytest.raises(StoreUnavailable):
        store.write(pd.DataFrame({"user_id": [1]}), version="1")


def test_items_are_found_by_id_in_any_order(item_frame):
    table = ItemFeatureTable(item_frame)
    asked = [7, 1, 7]
    assert table.frame["item_id"].iloc[table.rows_of(asked)].tolist() == asked


def test_an_unknown_item_is_named(item_frame):
    with pytest.raises(DataError, match="item 4711"):
        ItemFeatureTable(item_frame).rows_of([1, 4711])


def test_an_item_with_two_rows_is_refused(item_frame):
    with pytest.raises(DataError, match="more than one row"):
        ItemFeatureTable(pd.concat([item_frame, item_frame[:1]]))
