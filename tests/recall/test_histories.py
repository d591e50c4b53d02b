"""Histories of a request: what channels share is worked out once, and for one catalogue."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.likes import likes_in_time, likes_of
from recsys_lib.recall import Histories

CATALOGUE = np.array([1, 3, 4, 5, 9])


@pytest.fixture
def histories() -> Histories:
    """Return the histories of two users; the first repeats an item and has one below a like."""
    events = pd.DataFrame(
        {
            "user_id": [7, 7, 7, 7, 8],
            "item_id": [3, 5, 3, 4, 9],
            "rating": np.float32([5, 4, 4, 1, 5]),
            "timestamp": [10, 20, 30, 40, 5],
        }
    )
    return Histories.of(events, CATALOGUE)


@pytest.mark.parametrize("min_rating", [None, 4.0])
def test_likes_are_worked_out_once_and_by_the_common_rules(histories, min_rating):
    in_time, likes = histories.likes_in_time(min_rating), histories.likes(min_rating)
    pd.testing.assert_frame_equal(in_time, likes_in_time(histories.events, min_rating))
    assert (likes != likes_of(histories.matrix, min_rating)).nnz == 0
    assert histories.likes_in_time(min_rating) is in_time
    assert histories.likes(min_rating) is likes


def test_likes_of_one_threshold_are_not_those_of_another(histories):
    assert histories.likes_in_time(None)["item_id"].tolist() == [5, 3, 4, 9]
    assert histories.likes_in_time(4.0)["item_id"].tolist() == [5, 3, 9]
    assert histories.likes(None).nnz == 4
    assert histories.likes(4.0).nnz == 3


def test_one_of_several_users(histories):
    own = histories.of_user(8)
    assert own.events["item_id"].tolist() == [9]
    assert own.matrix.user_ids.tolist() == [8]
    assert own.matrix.ratings.toarray().tolist() == [[0, 0, 0, 0, 5]]
    assert own.of_user(8) is own
    assert own.of_user(7) is None


def test_another_catalogue_keeps_the_users_and_loses_the_items_it_lacks(histories):
    assert Histories.of(histories, CATALOGUE.copy()) is histories
    smaller = Histories.of(histories, np.array([3, 4]))
    assert smaller.events["item_id"].tolist() == [3, 3, 4]
    assert smaller.matrix.user_ids.tolist() == [7, 8]  # of 8 nothing is left, but 8 was asked for
    assert smaller.matrix.ratings.toarray().tolist() == [[4, 1], [0, 0]]
