"""Evaluating a model in one line, against hits counted by hand."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data import Interactions
from recsys_lib.evaluation import evaluate, evaluate_lists, held_out_likes
from recsys_lib.recall import Popular


def rows(*triples) -> pd.DataFrame:
    frame = pd.DataFrame(triples, columns=["user_id", "item_id", "rating"])
    return frame.astype({"rating": np.float32}).assign(timestamp=np.arange(len(frame)))


@pytest.fixture
def train() -> pd.DataFrame:
    """Item 10 has three likes, 20 two, 30 one, 40 none."""
    likes = [(1, 10, 5), (2, 10, 5), (3, 10, 4), (1, 20, 5), (2, 20, 5), (4, 30, 5)]
    return rows(*likes, (4, 40, 1))


@pytest.fixture
def test() -> pd.DataFrame:
    """User 1 likes 30 and 40, dislikes 50; 3 likes 20 and 10 again; 9 is new; 4 likes nothing."""
    likes = [(1, 30, 5), (1, 40, 4), (3, 20, 5), (3, 10, 5), (9, 10, 5)]
    return rows(*likes, (1, 50, 2), (4, 10, 3))


def test_by_hand(train, test):
    """Popular offers user 1: 30, 40; user 3: 20, 30, 40."""
    found = evaluate(Popular().fit(train), train, test, ks=(1, 2))
    assert found.user_ids.tolist() == [1, 3]
    assert found.per_user["recall_at_1"].tolist() == [0.5, 1]
    assert found.per_user["recall_at_2"].tolist() == [1, 1]
    assert found.item_ids.tolist() == [[30, 40], [20, 30]]
    assert found.coverage == 2 / 4  # 30 and 20 of four items
    assert found.mean("recall_at_1") == 0.75
    assert found.n_users == 2


def test_unknown_users_count_as_nothing_found_where_they_are_asked_for(train, test):
    found = evaluate(Popular().fit(train), train, test, ks=(2,), known_users_only=False)
    assert found.user_ids.tolist() == [1, 3, 9]
    assert found.per_user["recall_at_2"].tolist() == [1, 1, 0]


def test_without_ratings_every_held_out_row_is_a_like(train, test):
    found = evaluate(Popular().fit(train), train, test[["user_id", "item_id"]], ks=(4,))
    # User 1's three rows, one of them an item that nobody had; user 4's row; user 3's one new item.
    assert found.user_ids.tolist() == [1, 3, 4]
    assert found.per_user["recall_at_4"].tolist() == [2 / 3, 1, 1]


def test_a_persons_ids_and_two_vocabularies(train, test):
    """Train and test are read apart, so their numbers inside differ; the answer does not."""

    def named(frame):
        users = {1: "zoe", 2: "yan", 3: "abe", 4: "mia", 9: "new"}
        return Interactions.from_frame(
            frame.assign(
                user_id=frame["user_id"].map(users), item_id="film " + frame["item_id"].astype(str)
            )
        )

    theirs = evaluate(Popular().fit(named(train)), named(train), named(test), ks=(1, 2))
    ours = evaluate(Popular().fit(train), train, test, ks=(1, 2))
    for metric, values in ours.per_user.items():
        assert sorted(theirs.per_user[metric]) == sorted(values)
    assert theirs.coverage == ours.coverage


def test_items_that_the_model_does_not_know_are_likes_that_nothing_finds(train):
    """Each of them counts, whatever the kind of the ids."""
    test = rows((1, 30, 5), (1, 88, 5), (1, 99, 5))
    found = evaluate(Popular().fit(train), train, test, ks=(4,))
    assert found.per_user["recall_at_4"].tolist() == [1 / 3]
    as_text = {"user_id": str, "item_id": str}
    table, held_out = (Interactions.from_frame(each.astype(as_text)) for each in (train, test))
    found = evaluate(Popular().fit(table), table, held_out, ks=(4,))
    assert found.per_user["recall_at_4"].tolist() == [1 / 3]


def test_lists_at_hand_are_evaluated_the_same(train, test):
    relevant = held_out_likes(train, test)
    model = Popular().fit(train)
    lists = model.lists(relevant.user_ids, 3)
    got = evaluate_lists(lists.item_ids, relevant, 4, ks=(1, 2))
    want = evaluate(model, train, test, ks=(1, 2))
    assert got.per_user.keys() == want.per_user.keys()
    for metric, values in want.per_user.items():
        assert got.per_user[metric].tolist() == values.tolist()
    assert got.item_ids.tolist() == want.item_ids.tolist()
