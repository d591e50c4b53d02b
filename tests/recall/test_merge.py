"""Merging: quotas, ranks, duplicates and the channel named for each candidate."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.recall import (
    Channel,
    FavouriteGenre,
    ItemKNN,
    Merged,
    Popular,
    RandomRecaller,
    VectorRecaller,
    fuse,
)


class Fixed(Channel):
    """Recommends a given list to everybody: the plainest real channel."""

    def __init__(self, *item_ids):
        self.item_ids = item_ids

    def _fit(self, matrix, interactions):
        self.score_ = np.full(matrix.n_items, -np.inf, np.float32)
        self.score_[matrix.items_of(self.item_ids)] = -np.arange(len(self.item_ids))

    def _score(self, user_index):
        return np.tile(self.score_, (len(user_index), 1))


@pytest.fixture
def history() -> pd.DataFrame:
    """User 1 has seen item 0 only; the items 0 to 9 are known through user 2."""
    pairs = [(1, 0), *((2, item) for item in range(10))]
    frame = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    return frame.assign(rating=np.float32(5), timestamp=0)


def test_equal_weights_are_a_round_robin(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(4, 5, 6)}).fit(history)
    item_ids, scores, channels = merged.recommend_with_channels([1], 8)
    assert item_ids[0].tolist() == [1, 4, 2, 5, 3, 6, -1, -1]
    assert channels[0].tolist() == ["a", "b", "a", "b", "a", "b", "", ""]
    assert (np.diff(scores[0, :6]) < 0).all()


def test_the_channel_named_first_wins_ties_whatever_the_ids(history):
    merged = Merged({"a": Fixed(9, 8), "b": Fixed(1, 2)}).fit(history)
    assert merged.recommend([1], 4)[0][0].tolist() == [9, 1, 8, 2]


def test_a_duplicate_counts_once_and_makes_room(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(1, 2, 7)}).fit(history)
    item_ids, _, channels = merged.recommend_with_channels([1], 5)
    assert item_ids[0].tolist() == [1, 2, 3, 7, -1]
    assert channels[0].tolist() == ["a", "a", "a", "b", ""]


def test_the_channel_named_is_the_one_that_ranks_the_item_higher(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(3, 4)}).fit(history)
    item_ids, _, channels = merged.recommend_with_channels([1], 4)
    assert dict(zip(item_ids[0], channels[0], strict=True))[3] == "b"


def test_quotas_that_add_up_to_k_are_kept(interactions, items, table):
    channels = {
        "knn": ItemKNN(),
        "popular": Popular(),
        "vectors": VectorRecaller(table),
        "genre": FavouriteGenre(items),
    }
    quotas = {"knn": 5, "popular": 2, "vectors": 3, "genre": 2}
    merged = Merged(channels, quotas).fit(interactions)
    users = interactions["user_id"].unique()
    item_ids, _ = merged.recommend(users, 12)
    for name, quota in quotas.items():
        own, _ = channels[name].recommend(users, quota)
        for got, promised in zip(item_ids, own, strict=True):
            assert set(promised[promised >= 0]) <= set(got), name


def test_a_heavier_channel_gets_its_share_of_places(history):
    merged = Merged({"a": Fixed(1, 2, 3, 4, 5, 6), "b": Fixed(7, 8)}, {"a": 3, "b": 1})
    _, _, channels = merged.fit(history).recommend_with_channels([1], 8)
    assert channels[0, :4].tolist().count("a") == 3
    assert channels[0].tolist().count("a") == 6


def test_rank_fusion_by_hand(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(3, 1)}, {"a": 1, "b": 2}, fusion="rank")
    item_ids, scores, channels = merged.fit(history).recommend_with_channels([1], 3)
    expected = {1: 1 / 61 + 2 / 62, 2: 1 / 62, 3: 1 / 63 + 2 / 61}
    assert item_ids[0].tolist() == sorted(expected, key=expected.get, reverse=True)
    np.testing.assert_allclose(scores[0], sorted(expected.values(), reverse=True), rtol=1e-5)
    assert channels[0].tolist() == ["b", "b", "a"]


def test_score_fusion_by_hand(history):
    lists = {
        "a": (np.array([[1, 2, 3]]), np.array([[30.0, 20.0, 10.0]])),
        "b": (np.array([[3, 2, -1]]), np.array([[0.9, 0.5, -np.inf]])),
    }
    item_ids, scores, channels = fuse(lists, {"a": 1, "b": 2}, "score", np.arange(1, 5), 4)
    # a gives 1, 1/2 and 0, b gives 2 and 0: the range of each list is its own unit.
    assert item_ids[0].tolist() == [3, 1, 2, -1]
    np.testing.assert_allclose(scores[0, :3], [2, 1, 0.5], rtol=1e-5)
    assert channels[0].tolist() == ["b", "a", "a", ""]


def test_scores_in_another_unit_merge_the_same(history):
    lists = {"a": (np.array([[1, 2, 3]]), np.array([[3.0, 2.5, 1.0]]))}
    lists["b"] = (np.array([[4, 2, 1]]), np.array([[9.0, 3.0, 2.0]]))
    other = lists | {"b": (lists["b"][0], lists["b"][1] * 1_000 - 5)}
    weights = {"a": 1.0, "b": 0.7}
    got = fuse(lists, weights, "score", np.arange(1, 5), 4)[0]
    np.testing.assert_array_equal(got, fuse(other, weights, "score", np.arange(1, 5), 4)[0])


def test_a_list_of_equal_scores_gives_each_item_the_full_point():
    lists = {"a": (np.array([[1, 2]]), np.array([[7.0, 7.0]]))}
    assert fuse(lists, {"a": 1.0}, "score", np.arange(1, 3), 2)[1][0].tolist() == [1, 1]


def test_calibrated_fusion_adds_chances():
    lists = {
        "a": (np.array([[1, 2]]), np.array([[100.0, 50.0]])),
        "b": (np.array([[2, 3]]), np.array([[0.9, 0.1]])),
    }
    worth = {"a": lambda score: score / 1_000, "b": lambda score: score / 2}
    item_ids, scores, channels = fuse(
        lists, {"a": 1, "b": 1}, "calibrated", np.arange(1, 4), 3, worth
    )
    assert item_ids[0].tolist() == [2, 1, 3]
    np.testing.assert_allclose(scores[0], [0.05 + 0.45, 0.1, 0.05], atol=1e-5)
    assert channels[0].tolist() == ["b", "a", "b"]


def test_exclusions_reach_the_channels(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(4, 5, 6)}).fit(history)
    exclude = pd.DataFrame({"user_id": [1, 1], "item_id": [1, 2]})
    item_ids, _, channels = merged.recommend_with_channels([1], 3, exclude)
    assert item_ids[0].tolist() == [3, 4, 5]
    assert channels[0].tolist() == ["a", "b", "b"]


def test_one_channel_alone_is_that_channel(interactions):
    users = interactions["user_id"].unique()
    alone, _ = ItemKNN().fit(interactions).recommend(users, 10)
    for fusion in ("quota", "rank", "score"):
        merged = Merged({"knn": ItemKNN()}, fusion=fusion).fit(interactions)
        np.testing.assert_array_equal(merged.recommend(users, 10)[0], alone)


def test_depth_bounds_what_is_looked_at(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(3, 4)}, fusion="rank", depth=1).fit(history)
    item_ids, _ = merged.recommend([1], 1)
    assert item_ids[0].tolist() == [1]  # item 3, in both lists, is out of sight


def test_channels_are_named_for_users_known_and_unknown(interactions):
    merged = Merged({"popular": Popular(), "random": RandomRecaller()}).fit(interactions)
    item_ids, _, channels = merged.recommend_with_channels([interactions["user_id"][0], -7], 5)
    np.testing.assert_array_equal(channels == "", item_ids < 0)
    assert set(channels[0]) == {"popular", "random"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channels": {}}, "at least one channel"),
        ({"channels": {"a": Popular()}, "fusion": "sum"}, "score, calibrated, not 'sum'"),
        ({"channels": {"a": Popular()}, "weights": {"b": 1}}, "one for each of a"),
        ({"channels": {"a": Popular()}, "weights": {"a": 0}}, "must be positive"),
        ({"channels": {"a": Popular()}, "fusion": "calibrated"}, "a calibration for each of a"),
    ],
)
def test_a_wrong_merge_is_refused(arguments, message, history):
    with pytest.raises(RecsysError, match=message):
        Merged(**arguments).fit(history)
