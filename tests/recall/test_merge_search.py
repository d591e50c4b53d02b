"""The search for a merge by hand, and where it stops."""

import numpy as np
import pytest

from recsys_lib.recall import grow_merge

# What each channel brings to four users, beside "a", times its weight up to 1.
BRINGS = {"b": [3, 0, 0, 0], "c": [0, 1, 1, 0], "d": [0.1, 0, 0, 0]}


def worth(weights) -> np.ndarray:
    total = np.ones(4)
    for name, weight in weights.items():
        if name != "a":
            total = total + min(weight, 1) * np.array(BRINGS[name])
    return total


def joining(*weights):
    return [(name, weight) for name in BRINGS for weight in weights]


def test_the_one_that_helps_most_joins_first_and_too_little_joins_nothing():
    grown = grow_merge({"a": 1.0}, joining(0.5, 1.0), worth, lambda gain: gain.mean() > 0.1)
    assert grown == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert list(grown) == ["a", "b", "c"]


def test_the_rule_sees_the_gain_of_each_user():
    """Somebody who asks for a gain of two users is not content with b's large gain of one."""
    grown = grow_merge({"a": 1.0}, joining(1.0), worth, lambda gain: (gain > 0).sum() > 1)
    assert grown == {"a": 1.0}


def test_of_equals_the_first_that_is_tried_joins():
    grown = grow_merge({"a": 1.0}, joining(1.0, 2.0), worth, lambda gain: gain.mean() > 0.1)
    assert grown == {"a": 1.0, "b": 1.0, "c": 1.0}
    backwards = reversed(joining(1.0, 2.0))
    grown = grow_merge({"a": 1.0}, backwards, worth, lambda gain: gain.mean() > 0.1)
    assert grown == {"a": 1.0, "b": 2.0, "c": 2.0}


@pytest.mark.parametrize("tried", [[], [("a", 0.5)]])
def test_with_nothing_to_try_the_start_stays(tried):
    assert grow_merge({"a": 1.0}, tried, worth, lambda gain: True) == {"a": 1.0}
