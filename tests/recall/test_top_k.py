import numpy as np
import pytest

from recsys_lib.recall.lists import top_k
from recsys_lib.seeding import key_hash


def test_padding_and_what_is_never_returned():
    score = np.array([[1, 3, 4, -np.inf], [np.nan, 2, -np.inf, 1]])
    ids, values = top_k(score, np.array([10, 11, 12, 13]), k=3)
    assert ids.tolist() == [[12, 11, 10], [11, 13, -1]]
    assert values.tolist() == [[4, 3, 1], [2, 1, -np.inf]]
    ids, _ = top_k(score, np.array([10, 11, 12, 13]), k=6)
    assert ids[0].tolist() == [12, 11, 10, -1, -1, -1]


def test_ties_do_not_follow_the_ids():
    ids, _ = top_k(np.zeros((1, 200)), np.arange(200), k=100)
    # Half of the ids above the middle, within 4 standard deviations of a fair draw.
    assert abs((ids >= 100).sum() - 50) < 20
    assert ids[0].tolist() != sorted(ids[0])
    reversed_columns, _ = top_k(np.zeros((1, 200)), np.arange(200)[::-1], k=100)
    assert (ids == reversed_columns).all()


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_a_full_sort(seed):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 6, (20, 50)).astype(np.float32)  # ties everywhere
    ids, _ = top_k(score, np.arange(50), k=7)
    tie = key_hash(np.arange(50))
    full = [np.lexsort((tie, -row))[:7] for row in score]
    assert (ids == np.array(full)).all()
