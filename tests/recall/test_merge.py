"""Merging: quotas, ranks, duplicates and the channel named for each candidate."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.recall import (
    FavouriteGenre,
    ItemKNN,
    Lists,
    Merged,
    Popular,
    RandomRecaller,
    VectorRecaller,
    fuse,
)
from recsys_lib.recall.channels.popular import SameForAll


class Fixed(SameForAll):
    """Recommends a given list to everybody: the plainest real channel."""

    def __init__(self, *item_ids):
        self.item_ids = item_ids

    def _fit(self, seen):
        self.item_score_ = np.full(seen.matrix.n_items, -np.inf, np.float32)
        self.item_score_[seen.matrix.items_of(self.item_ids)] = -np.arange(len(self.item_ids))


def parts(lists: Lists) -> tuple[np.ndarray, ...]:
    return lists.item_ids, lists.scores, lists.channels


@pytest.fixture
def history() -> pd.DataFrame:
    """User 1 has seen item 0 only; the items 0 to 9 are known through user 2."""
    pairs = [(1, 0), *((2, item) for item in range(10))]
    frame = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    return frame.assign(rating=np.float32(5), timestamp=0)


def test_equal_weights_are_a_round_robin(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(4, 5, 6)}).fit(history)
    item_ids, scores, channels = parts(merged.lists([1], 8))
    assert item_ids[0].tolist() == [1, 4, 2, 5, 3, 6, -1, -1]
    assert channels[0].tolist() == ["a", "b", "a", "b", "a", "b", "", ""]
    assert (np.diff(scores[0, :6]) < 0).all()


def test_the_channel_named_first_wins_ties_whatever_the_ids(history):
    merged = Merged({"a": Fixed(9, 8), "b": Fixed(1, 2)}).fit(history)
    assert merged.lists([1], 4).item_ids[0].tolist() == [9, 1, 8, 2]


def test_a_duplicate_counts_once_and_makes_room(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(1, 2, 7)}).fit(history)
    item_ids, _, channels = parts(merged.lists([1], 5))
    assert item_ids[0].tolist() == [1, 2, 3, 7, -1]
    assert channels[0].tolist() == ["a", "a", "a", "b", ""]


def test_the_channel_named_is_the_one_that_ranks_the_item_higher(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(3, 4)}).fit(history)
    item_ids, _, channels = parts(merged.lists([1], 4))
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
    item_ids = merged.lists(users, 12).item_ids
    for name, quota in quotas.items():
        own = channels[name].lists(users, quota).item_ids
        for got, promised in zip(item_ids, own, strict=True):
            assert set(promised[promised >= 0]) <= set(got), name


def test_a_heavier_channel_gets_its_share_of_places(history):
    merged = Merged({"a": Fixed(1, 2, 3, 4, 5, 6), "b": Fixed(7, 8)}, {"a": 3, "b": 1})
    _, _, channels = parts(merged.fit(history).lists([1], 8))
    assert channels[0, :4].tolist().count("a") == 3
    assert channels[0].tolist().count("a") == 6


def test_rank_fusion_by_hand(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(3, 1)}, {"a": 1, "b": 2}, fusion="rank")
    item_ids, scores, channels = parts(merged.fit(history).lists([1], 3))
    expected = {1: 1 / 61 + 2 / 62, 2: 1 / 62, 3: 1 / 63 + 2 / 61}
    assert item_ids[0].tolist() == sorted(expected, key=expected.get, reverse=True)
    np.testing.assert_allclose(scores[0], sorted(expected.values(), reverse=True), rtol=1e-5)
    assert channels[0].tolist() == ["b", "b", "a"]


def test_score_fusion_by_hand(history):
    lists = {
        "a": Lists.of([[1, 2, 3]], [[30.0, 20.0, 10.0]]),
        "b": Lists.of([[3, 2, -1]], [[0.9, 0.5, -np.inf]]),
    }
    merged = fuse(lists, {"a": 1, "b": 2}, "score", np.arange(1, 5), 4)
    item_ids, scores, channels = parts(merged)
    # a gives 1, 1/2 and 0, b gives 2 and 0: the range of each list is its own unit.
    assert item_ids[0].tolist() == [3, 1, 2, -1]
    np.testing.assert_allclose(scores[0, :3], [2, 1, 0.5], rtol=1e-5)
    assert channels[0].tolist() == ["b", "a", "a", ""]


def test_scores_in_another_unit_merge_the_same(history):
    lists = {"a": Lists.of([[1, 2, 3]], [[3.0, 2.5, 1.0]])}
    lists["b"] = Lists.of([[4, 2, 1]], [[9.0, 3.0, 2.0]])
    other = lists | {"b": Lists.of(lists["b"].item_ids, lists["b"].scores * 1_000 - 5)}
    weights = {"a": 1.0, "b": 0.7}
    got, want = (fuse(each, weights, "score", np.arange(1, 5), 4) for each in (lists, other))
    np.testing.assert_array_equal(got.item_ids, want.item_ids)


def test_a_list_of_equal_scores_gives_each_item_the_full_point():
    lists = {"a": Lists.of([[1, 2]], [[7.0, 7.0]])}
    assert fuse(lists, {"a": 1.0}, "score", np.arange(1, 3), 2).scores[0].tolist() == [1, 1]


def test_calibrated_fusion_adds_chances():
    lists = {
        "a": Lists.of([[1, 2]], [[100.0, 50.0]]),
        "b": Lists.of([[2, 3]], [[0.9, 0.1]]),
    }
    worth = {"a": lambda score: score / 1_000, "b": lambda score: score / 2}
    merged = fuse(lists, {"a": 1, "b": 1}, "calibrated", np.arange(1, 4), 3, worth)
    item_ids, scores, channels = parts(merged)
    assert item_ids[0].tolist() == [2, 1, 3]
    np.testing.assert_allclose(scores[0], [0.05 + 0.45, 0.1, 0.05], atol=1e-5)
    assert channels[0].tolist() == ["b", "a", "b"]


def test_exclusions_reach_the_channels(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(4, 5, 6)}).fit(history)
    exclude = pd.DataFrame({"user_id": [1, 1], "item_id": [1, 2]})
    item_ids, _, channels = parts(merged.lists([1], 3, exclude=exclude))
    assert item_ids[0].tolist() == [3, 4, 5]
    assert channels[0].tolist() == ["a", "b", "b"]


def test_one_channel_alone_is_that_channel(interactions):
    users = interactions["user_id"].unique()
    alone = ItemKNN().fit(interactions).lists(users, 10).item_ids
    for fusion in ("quota", "rank", "score"):
        merged = Merged({"knn": ItemKNN()}, fusion=fusion).fit(interactions)
        np.testing.assert_array_equal(merged.lists(users, 10).item_ids, alone)


def test_depth_bounds_what_is_looked_at(history):
    merged = Merged({"a": Fixed(1, 2, 3), "b": Fixed(3, 4)}, fusion="rank", depth=1).fit(history)
    item_ids = merged.lists([1], 1).item_ids
    assert item_ids[0].tolist() == [1]  # item 3, in both lists, is out of sight


def test_channels_are_named_for_users_known_and_unknown(interactions):
    merged = Merged({"popular": Popular(), "random": RandomRecaller()}).fit(interactions)
    item_ids, _, channels = parts(merged.lists([interactions["user_id"][0], -7], 5))
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


def test_fitted_channels_are_adopted_as_they_are(interactions):
    """A merge of fitted channels answers as one that fitted them, and keeps one matrix."""
    users = interactions["user_id"].unique()
    weights = {"knn": 2, "popular": 1}
    channels = {"knn": ItemKNN().fit(interactions), "popular": Popular().fit(interactions)}
    adopted = Merged(channels, weights).adopt()
    fitted = Merged({"knn": ItemKNN(), "popular": Popular()}, weights).fit(interactions)
    got, want = adopted.lists(users, 9), fitted.lists(users, 9)
    np.testing.assert_array_equal(got.item_ids, want.item_ids)
    np.testing.assert_array_equal(got.channels, want.channels)
    assert channels["popular"].matrix_ is channels["knn"].matrix_ is adopted.matrix_


def test_channels_of_other_interactions_are_not_adopted(interactions):
    knn = ItemKNN().fit(interactions.sample(frac=1, random_state=3))  # only the order differs
    assert Merged({"knn": knn, "popular": Popular().fit(interactions)}).adopt()
    other_ratings = interactions.assign(rating=6 - interactions["rating"])
    fewer = interactions[interactions["user_id"] != interactions["user_id"].iloc[0]]
    text = interactions.assign(item_id=interactions["item_id"].astype(str))
    for others in (other_ratings, fewer, text):
        with pytest.raises(RecsysError, match="'popular' was fitted on other interactions"):
            Merged({"knn": knn, "popular": Popular().fit(others)}).adopt()
    with pytest.raises(RecsysError, match="only after fit"):
        Merged({"knn": ItemKNN()}).adopt()


def test_similar_items_of_a_merge_are_those_of_its_channels(interactions, table):
    """Only channels that compare items take part; one alone speaks for the merge."""
    merged = Merged({"popular": Popular(), "knn": ItemKNN()}).fit(interactions)
    items = np.unique(interactions["item_id"])
    alone = ItemKNN().fit(interactions).similar_lists(items, 5)
    np.testing.assert_array_equal(merged.similar_lists(items, 5).item_ids, alone.item_ids)
    two = {"vectors": VectorRecaller(table), "knn": ItemKNN()}
    found = Merged(two, fusion="rank").fit(interactions).similar_items(items[0], 20)
    assert set(found["channel"]) == {"vectors", "knn"}
    assert not Merged({"popular": Popular()}).has_similar_items


def test_a_channel_that_scores_no_histories_speaks_for_the_merge(interactions):
    class Stored(Popular):
        scores_histories = False

    users = interactions["user_id"].unique()[:2]
    for recaller in (Stored(), Merged({"knn": ItemKNN(), "stored": Stored()})):
        recaller.fit(interactions)
        assert not recaller.scores_histories
        assert len(recaller.recommend(users, 3)) == 6
        with pytest.raises(RecsysError, match="cannot score histories"):
            recaller.recommend(users, 3, histories={users[0]: [5]})
        with pytest.raises(RecsysError, match="cannot score histories"):
            recaller.lists(users, 3, {users[0]: [5]})
