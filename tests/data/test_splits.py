"""Splits by hand, and their promises on random histories."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.splits import (
    PARTS,
    at_random,
    by_time,
    fold_of,
    hold_out,
    in_time_order,
    last_likes,
)
from recsys_lib.errors import RecsysError


def frame(rows):
    types = {"user_id": "int64", "item_id": "int64", "rating": "float32", "timestamp": "int64"}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def random_interactions(seed, n=3_000, n_users=40):
    rng = np.random.default_rng(seed)
    users, items = rng.integers(0, n_users, n), rng.permutation(n)
    times = rng.integers(1, 60, n) * 100  # many ties
    return frame(np.column_stack([users, items, rng.integers(1, 6, n), times]))


def test_last_likes_by_hand():
    # User 1 in time order: likes a b c d, with a dislike before c and one after d.
    history = [(1, 10, 5, 1), (1, 11, 4, 2), (1, 12, 1, 3), (1, 13, 5, 4), (1, 14, 4, 5)]
    split = last_likes(
        frame([*history, (1, 15, 2, 6), (2, 10, 5, 1)]), n_test=1, n_validation=1, min_train=2
    )
    assert split.train["item_id"].tolist() == [10, 11, 12, 10]
    assert split.validation["item_id"].tolist() == [13]
    assert split.test["item_id"].tolist() == [14, 15]
    assert split.likes("test")["item_id"].tolist() == [14]
    assert split.history("test")["item_id"].tolist() == [10, 11, 12, 10, 13]


@pytest.mark.parametrize("seed", range(5))
def test_last_likes_promises(seed):
    interactions = random_interactions(seed)
    split = last_likes(interactions, n_test=3, n_validation=2, min_train=4)
    together = pd.concat([split.part(part) for part in PARTS])
    pd.testing.assert_frame_equal(
        together.sort_values(["user_id", "item_id"]).reset_index(drop=True),
        interactions.sort_values(["user_id", "item_id"]).reset_index(drop=True),
    )
    for user, rows in interactions.groupby("user_id"):
        mine = {
            part: split.part(part).loc[lambda f, user=user: f["user_id"] == user] for part in PARTS
        }
        enough = (rows["rating"] >= 3.5).sum() >= 9
        assert (mine["test"]["rating"] >= 3.5).sum() == 3 * enough
        assert (mine["validation"]["rating"] >= 3.5).sum() == 2 * enough
        if enough:
            assert mine["train"]["timestamp"].max() <= mine["validation"]["timestamp"].min()
            assert mine["validation"]["timestamp"].max() <= mine["test"]["timestamp"].min()


def test_ties_in_time_are_not_ordered_by_id():
    rows = frame([(1, item, 5, 7) for item in range(50)])
    order = in_time_order(rows)["item_id"].tolist()
    assert order != sorted(order)
    assert order == in_time_order(rows.sample(frac=1, random_state=3))["item_id"].tolist()


@pytest.mark.parametrize("seed", range(5))
def test_by_time_learns_nothing_from_later(seed):
    interactions = random_interactions(seed).sort_values("timestamp", ignore_index=True)
    split = by_time(interactions, validation_share=0.2, test_share=0.3)
    assert split.train["timestamp"].max() < split.validation["timestamp"].min()
    assert split.validation["timestamp"].max() < split.test["timestamp"].min()
    assert sum(len(split.part(part)) for part in PARTS) == len(interactions)
    assert len(split.test) == pytest.approx(0.3 * len(interactions), rel=0.15)


def test_at_random_ignores_time_and_row_order():
    interactions = random_interactions(0)
    split = at_random(interactions, validation_share=0.2, test_share=0.3)
    assert sum(len(split.part(part)) for part in PARTS) == len(interactions)
    assert len(split.test) == pytest.approx(0.3 * len(interactions), rel=0.1)
    assert len(split.validation) == pytest.approx(0.2 * len(interactions), rel=0.1)
    assert split.train["timestamp"].mean() == pytest.approx(split.test["timestamp"].mean(), rel=0.1)
    again = at_random(interactions.sample(frac=1, random_state=1), 0.2, 0.3)
    assert set(again.test["item_id"]) == set(split.test["item_id"])
    other = at_random(interactions, 0.2, 0.3, seed=7)
    assert set(other.test["item_id"]) != set(split.test["item_id"])


def test_wrong_names_and_shares_are_refused():
    interactions = random_interactions(0)
    with pytest.raises(RecsysError, match="'tset'"):
        by_time(interactions).part("tset")
    with pytest.raises(RecsysError, match="'train'"):
        by_time(interactions).history("train")
    with pytest.raises(RecsysError, match=r"0\.6 and 0\.5"):
        by_time(interactions, validation_share=0.6, test_share=0.5)


@pytest.mark.parametrize("protocol", ["random", "last", "time"])
def test_the_held_out_part_is_a_fifth_and_nothing_is_lost(protocol):
    interactions = random_interactions(4)
    train, held_out = hold_out(interactions, protocol)
    assert len(held_out) == pytest.approx(0.2 * len(interactions), rel=0.15)
    both = pd.concat([train, held_out]).sort_values(["user_id", "item_id"], ignore_index=True)
    whole = interactions.sort_values(["user_id", "item_id"], ignore_index=True)
    pd.testing.assert_frame_equal(both, whole)


def test_last_and_time_hold_out_what_came_later():
    interactions = random_interactions(4)
    train, held_out = hold_out(interactions, "time")
    assert train["timestamp"].max() < held_out["timestamp"].min()
    train, held_out = hold_out(interactions, "last")
    latest = train.groupby("user_id")["timestamp"].max()
    earliest = held_out.groupby("user_id")["timestamp"].min()
    assert (latest <= earliest.reindex(latest.index)).all()


def test_a_random_part_does_not_depend_on_the_order_of_rows():
    interactions = random_interactions(4)
    _, one = hold_out(interactions, "random")
    _, two = hold_out(interactions.sample(frac=1, random_state=5), "random")
    assert set(map(tuple, one.to_numpy())) == set(map(tuple, two.to_numpy()))


def test_an_unknown_protocol_is_refused():
    with pytest.raises(RecsysError, match=r"'rendom'\. Did you mean 'random'"):
        hold_out(random_interactions(1), "rendom")


def test_folds_hold_whole_users_and_are_even():
    users = np.repeat(np.arange(103), 7)
    fold = fold_of(users, 5, seed=3)
    assert (fold.reshape(103, 7) == fold.reshape(103, 7)[:, :1]).all()
    assert sorted(np.bincount(fold[::7])) == [20, 20, 21, 21, 21]
    np.testing.assert_array_equal(fold_of(users[::-1], 5, seed=3), fold[::-1])
    assert (fold_of(users, 5, seed=4) != fold).any()
    with pytest.raises(RecsysError, match="at least 2 folds, not 1"):
        fold_of(users, 1)
