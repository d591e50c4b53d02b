"""Likes in the order of time: what counts as one, repeats, ties, and how many came later."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.likes import likes_in_time

ROWS = pd.DataFrame(
    [
        (2, 10, 5.0, 300),
        (2, 11, 4.0, 100),
        (2, 12, 3.0, 200),  # no like
        (1, 13, 3.5, 50),
        (2, 11, 5.0, 400),  # a second time, later
        (2, 10, 1.0, 500),  # disliked at last
    ],
    columns=["user_id", "item_id", "rating", "timestamp"],
)


def listed(frame: pd.DataFrame) -> list[tuple]:
    return list(zip(frame["user_id"], frame["item_id"], frame["age"], strict=True))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [(1, 13, 0), (2, 11, 0)]),
        ({"repeats": True}, [(1, 13, 0), (2, 11, 2), (2, 10, 1), (2, 11, 0)]),
        ({"min_rating": 4.5}, [(2, 11, 0)]),
        ({"min_rating": None}, [(1, 13, 0), (2, 12, 2), (2, 11, 1), (2, 10, 0)]),
    ],
)
def test_likes_by_hand(settings, expected):
    assert listed(likes_in_time(ROWS, **settings)) == expected


def test_the_order_of_rows_in_one_second_does_not_matter():
    burst = pd.DataFrame({"user_id": 1, "item_id": np.arange(50), "rating": 5.0, "timestamp": 9})
    ordered = likes_in_time(burst)["item_id"]
    shuffled = likes_in_time(burst.sample(frac=1, random_state=0))["item_id"]
    assert ordered.to_list() == shuffled.to_list()
    assert ordered.to_list() != sorted(ordered)


def test_nobody_likes_anything():
    assert listed(likes_in_time(ROWS[ROWS["rating"] < 3])) == []
