"""Session channels against the same sums written as loops."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.splits import in_time_order
from recsys_lib.errors import RecsysError
from recsys_lib.recall import CoOccurrence, SessionEase, Transitions
from recsys_lib.recall.channels.pairs import pairs_within

WINDOW, POWER, HALF_LIFE = 6, 0.7, 3.0


def sequences(interactions: pd.DataFrame, min_rating: float) -> dict[int, list[int]]:
    """Each user's items in the order of time."""
    ordered = in_time_order(interactions)
    ordered = ordered[ordered["rating"] >= min_rating]
    return ordered.groupby("user_id")["item_id"].agg(list).to_dict()


def counted(interactions: pd.DataFrame, min_rating: float) -> tuple[np.ndarray, np.ndarray]:
    """Sorted item ids, and by loops the weight with which one (row) precedes another (column)."""
    item_ids = np.unique(interactions["item_id"])
    place = {item: i for i, item in enumerate(item_ids)}
    pairs = np.zeros((len(item_ids), len(item_ids)))
    for liked in sequences(interactions, min_rating).values():
        for i, earlier in enumerate(liked):
            for distance in range(1, WINDOW + 1):
                if i + distance < len(liked):
                    later = liked[i + distance]
                    pairs[place[earlier], place[later]] += distance**-POWER
    return item_ids, pairs


def expected_scores(weights, interactions, min_rating, user, item_ids) -> np.ndarray:
    liked = sequences(interactions, min_rating)[user]
    score = np.zeros(len(item_ids))
    for age, item in enumerate(reversed(liked)):
        score += 0.5 ** (age / HALF_LIFE) * weights[np.searchsorted(item_ids, item)]
    return score


def assert_scores(channel, weights, interactions, min_rating) -> None:
    item_ids = np.unique(interactions["item_id"])
    for user in interactions["user_id"].unique()[:6]:
        expected = expected_scores(weights, interactions, min_rating, user, item_ids)
        found = channel.lists([user], len(item_ids))
        listed = found.listed[0]
        at = np.searchsorted(item_ids, found.item_ids[0, listed])
        np.testing.assert_allclose(found.scores[0, listed], expected[at], rtol=2e-4, atol=1e-6)
        seen = set(interactions.loc[interactions["user_id"] == user, "item_id"])
        assert not seen & set(found.item_ids[0, listed])


def test_co_occurrence(interactions):
    channel = CoOccurrence(window=WINDOW, distance_power=POWER, half_life_likes=HALF_LIFE)
    channel.fit(interactions)
    _, pairs = counted(interactions, 3.5)
    both = pairs + pairs.T
    weights = both / np.sqrt(np.outer(both.sum(1) + 1, both.sum(0) + 1))
    np.testing.assert_allclose(channel.weights_.toarray(), weights, rtol=1e-5)
    assert_scores(channel, weights, interactions, 0)  # the profile reads dislikes, too


def test_transitions_have_a_direction(interactions):
    channel = Transitions(window=WINDOW, distance_power=POWER, half_life_likes=HALF_LIFE)
    channel.fit(interactions)
    _, pairs = counted(interactions, 0)
    weights = pairs / np.sqrt(np.outer(pairs.sum(1) + 1, pairs.sum(0) + 1))
    np.testing.assert_allclose(channel.weights_.toarray(), weights, rtol=1e-5)
    assert not np.allclose(weights, weights.T)
    assert_scores(channel, weights, interactions, 0)


def test_session_ease_solves_its_least_squares_problem(interactions):
    settings = {"window": WINDOW, "distance_power": POWER, "half_life_likes": HALF_LIFE}
    channel = SessionEase(regularization=7.0, self_weight=2.0, **settings).fit(interactions)
    item_ids, pairs = counted(interactions, 3.5)
    likes = interactions[interactions["rating"] >= 3.5]["item_id"].value_counts()
    gram = pairs + pairs.T + np.diag(2.0 * likes.reindex(item_ids, fill_value=0) + 7.0)
    weights = np.zeros_like(gram)
    for column in range(len(gram)):  # each column on its own: least squares without itself
        others = np.delete(np.arange(len(gram)), column)
        weights[others, column] = np.linalg.solve(
            gram[np.ix_(others, others)], gram[others, column]
        )
    np.testing.assert_allclose(channel.weights_, weights, rtol=1e-3, atol=1e-5)
    assert_scores(channel, weights, interactions, 3.5)


def test_one_sequence_by_hand():
    pairs = pairs_within(np.array([0, 0, 0, 1]), np.array([2, 0, 1, 2]), 3, 2, 1.0).toarray()
    # User 0: 2, 0, 1; user 1: 2 alone. No pair crosses from one user to the next.
    np.testing.assert_allclose(pairs, [[0, 1, 0], [0, 0, 0], [1, 0.5, 0]])


def test_counting_in_parts_changes_nothing(interactions, monkeypatch):
    whole = CoOccurrence().fit(interactions).weights_
    monkeypatch.setattr("recsys_lib.recall.channels.pairs.PAIRS_AT_ONCE", 10)
    parts = CoOccurrence().fit(interactions).weights_
    np.testing.assert_allclose(whole.toarray(), parts.toarray(), rtol=1e-5)


def test_what_follows_is_recommended_and_what_precedes_is_not():
    rows = [(user, item, 5.0, item) for user in range(5) for item in (1, 2, 3)]
    rows += [(9, 2, 5.0, 100)]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    found = Transitions().fit(frame).recommend(9, 3)["item_id"]
    assert found.tolist() == [3]
    assert set(CoOccurrence().fit(frame).recommend(9, 3)["item_id"]) == {1, 3}


def test_all_scores_are_those_of_the_lists(interactions):
    channel = CoOccurrence().fit(interactions)
    users = [*interactions["user_id"].unique()[:3], 999_999]
    scores = channel.scores(users)
    found = channel.lists(users, 5)
    for row in range(4):
        at = channel.matrix_.items_of(found.item_ids[row][found.listed[row]])
        best = np.sort(scores[row][np.isfinite(scores[row])])[::-1][:5]
        np.testing.assert_array_equal(scores[row, at], best)
    assert not np.isfinite(scores[3]).any()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: CoOccurrence(window=0), "window"),
        (lambda: Transitions(distance_power=-1), "distance_power"),
        (lambda: SessionEase(regularization=0), "regularization"),
        (lambda: SessionEase(self_weight=-2), "self_weight"),
        (lambda: CoOccurrence(half_life_likes=0), "half_life_likes"),
    ],
)
def test_settings_that_mean_nothing(made, words, interactions):
    with pytest.raises(RecsysError, match=words):
        made().fit(interactions)
