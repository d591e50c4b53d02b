"""Ids of unknown users and items are told apart, and never taken for known ones."""

import uuid

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data import Interactions
from recsys_lib.errors import DataError
from recsys_lib.recall import Popular
from recsys_lib.recall.vocabulary import Vocabulary, canonical, id_list

FRAME = pd.DataFrame({"user_id": [1, 2], "item_id": [3, 4], "rating": 5.0, "timestamp": 0})


def test_unknown_ids_get_negative_numbers_of_their_own():
    table = Interactions.from_frame(FRAME.assign(user_id=["ann", "bob"]))
    words = Vocabulary(table.user_ids, table.item_ids)
    codes = words.user_codes(["bob", "eve", "ann", "zoe", "eve"])
    assert codes[[0, 2]].tolist() == [1, 0]
    assert (codes[[1, 3, 4]] < -1).all()
    assert codes[1] == codes[4] != codes[3]
    assert words.user_codes(["eve"])[0] == codes[1]
    assert words.raw_users([1, 0]).tolist() == ["bob", "ann"]


def test_whole_numbers_stand_for_themselves():
    assert Vocabulary().item_codes([7, 2**62]).tolist() == [7, 2**62]
    assert Vocabulary().item_codes(np.empty(0, np.int64)).dtype == np.int64
    assert (Vocabulary().user_codes([-7, -8]) < -1).all()


def test_a_single_id_is_a_list_of_one():
    one = uuid.uuid4()
    assert [id_list(each) for each in (5, "anna", b"x", one)] == [[5], ["anna"], [b"x"], [one]]
    assert id_list(pd.Series([1, 2])) == [1, 2]


@pytest.mark.parametrize(
    "users",
    [
        ["007", "7", "αβγ"],
        [b"\x00a", b"a\x00", b"a"],
        [uuid.UUID(int=3), uuid.UUID(int=2), uuid.UUID(int=1)],
        [2**64, 2**64 + 1, -5],
    ],
    ids=["text", "bytes", "uuid", "big"],
)
def test_ids_of_any_kind_come_back_as_they_were(users):
    frame = pd.DataFrame({"user": users * 2, "film": ["a", "b", "c", "b", "c", "a"]})
    frame["user"] = pd.Series(users * 2, dtype=object)
    recaller = Popular().fit(Interactions.from_frame(frame, user="user", item="film"))
    table = recaller.recommend(users, 3)
    assert table["user_id"].tolist() == users
    assert table["item_id"].tolist() == ["c", "a", "b"]
    assert recaller.recommend(users[0])["user_id"].tolist() == users[:1]


def test_a_canonical_table_is_taken_as_it_is():
    frame, words = canonical(FRAME)
    assert frame is FRAME
    assert (words.users, words.items) == (None, None)


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.astype({"user_id": str, "item_id": str}),
        FRAME.astype({"user_id": float}),
        FRAME.assign(user_id=[-1, -2]),
        FRAME.drop(columns="rating"),
        FRAME.drop(columns="timestamp"),
        FRAME[["item_id", "user_id"]],
    ],
    ids=["text", "whole floats", "negative", "no ratings", "no moments", "ids alone"],
)
def test_other_tables_are_understood_on_the_way_in(frame):
    recaller = Popular().fit(frame)
    users = frame["user_id"].tolist()
    table = recaller.recommend(users, 3)
    assert table["user_id"].tolist() == users
    assert table["item_id"].tolist() == frame["item_id"].tolist()[::-1]
    assert recaller.seen_items(users[0]).tolist() == frame["item_id"].tolist()[:1]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FRAME.iloc[:0], "no rows"),
        (
            FRAME.rename(columns={"user_id": "usr_id"}),
            "called like the user.*'usr_id'",
        ),
        (FRAME.assign(item_id=[1.5, 2.0]), "An id is a whole number"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused(frame, message):
    with pytest.raises(DataError, match=message):
        Popular().fit(frame)
