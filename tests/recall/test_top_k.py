import numpy as np
import pytest

from recsys_lib.recall.base import top_k


def test_padding_ties_and_what_is_never_returned():
    score = np.array([[1, 3, 3, -np.inf], [np.nan, 2, -np.inf, 2]])
    ids, values = top_k(score, np.array([10, 11, 12, 13]), k=3)
    assert ids.tolist() == [[11, 12, 10], [11, 13, -1]]
    assert values.tolist() == [[3, 3, 1], [2, 2, -np.inf]]
    ids, _ = top_k(score, np.array([10, 11, 12, 13]), k=6)
    assert ids[0].tolist() == [11, 12, 10, -1, -1, -1]


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_a_full_stable_sort(seed):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 6, (20, 50)).astype(np.float32)  # ties everywhere
    ids, _ = top_k(score, np.arange(50), k=7)
    assert (ids == np.argsort(-score, axis=1, kind="stable")[:, :7]).all()
