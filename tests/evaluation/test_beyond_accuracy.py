"""Coverage, novelty, diversity and popularity: by hand, and against loops over pairs."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics.pairwise import cosine_distances

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import (
    audience,
    coverage,
    intra_list_diversity,
    novelty,
    popularity_bias,
)


@pytest.fixture
def share() -> pd.Series:
    """Item 10 was had by all four users, 20 by two, 30 by one."""
    pairs = [(1, 10), (2, 10), (3, 10), (4, 10), (1, 20), (2, 20), (3, 30), (3, 30)]
    return audience(pd.DataFrame(pairs, columns=["user_id", "item_id"]))


def test_coverage_ignores_padding():
    assert coverage(np.array([[1, 2, -1], [2, -1, -1]]), n_items=8) == 0.25


def test_audience_counts_a_user_once(share):
    assert share.to_dict() == {10: 1.0, 20: 0.5, 30: 0.25}


def test_novelty_in_bits(share):
    lists = np.array([[10, 20, 30], [30, -1, -1], [-1, -1, -1]])
    np.testing.assert_allclose(novelty(lists, share), [(0 + 1 + 2) / 3, 2, np.nan])


def test_popularity_bias_is_the_mean_audience(share):
    lists = np.array([[10, 20, -1], [30, 10, 20], [-1, -1, -1]])
    np.testing.assert_allclose(popularity_bias(lists, share), [0.75, 1.75 / 3, np.nan])


def test_an_item_without_record_is_named(share):
    with pytest.raises(RecsysError, match="Item 99 is recommended"):
        novelty(np.array([[10, 99]]), share)


def test_diversity_equals_the_mean_over_pairs():
    rng = np.random.default_rng(3)
    known = np.arange(20) * 3
    vectors = rng.normal(size=(20, 6)) * rng.random((20, 1)) * 9
    lists = np.stack([rng.permutation(known)[:5] for _ in range(7)])
    distance = cosine_distances(vectors)
    for row, got in zip(lists // 3, intra_list_diversity(lists, known, vectors), strict=True):
        expected = np.mean([distance[i, j] for i in row for j in row if i != j])
        assert got == pytest.approx(expected, abs=1e-12)


def test_diversity_leaves_out_padding_and_items_without_a_vector():
    known, vectors = np.array([1, 2, 3]), np.array([[1.0, 0], [0, 2.0], [0, 0]])
    lists = np.array([[1, 2, 3, -1], [1, 3, -1, -1], [1, 99, 2, -1]])
    np.testing.assert_allclose(intra_list_diversity(lists, known, vectors), [1, np.nan, 1])
