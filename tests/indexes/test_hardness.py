"""Sets of vectors whose dimension and contrast are known."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from recsys_lib.errors import RecsysError
from recsys_lib.indexes.hardness import local_intrinsic_dimension, relative_contrast


def nearest(x: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """In double precision: the neighbours lie very near."""
    return np.sort(cdist(queries, x), axis=1)[:, :k]


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_uniform_points_have_their_own_dimension_in_any_coordinates(dimension):
    rng = np.random.default_rng(dimension)
    turned = np.linalg.qr(rng.standard_normal((20, 20)))[0][:dimension]  # a plane in 20 dimensions
    x = rng.random((20_000, dimension)) @ turned
    queries = (0.4 + 0.2 * rng.random((200, dimension))) @ turned  # away from the border
    found = local_intrinsic_dimension(nearest(x, queries, 50))
    assert abs(found - dimension) < 0.15 * dimension


def test_contrast_is_a_ratio_of_means_by_hand():
    near = np.array([[0.5, 1.0], [1.0, 3.0]])
    assert relative_contrast(near, np.array([2.0, 4.0, 6.0])) == pytest.approx(4 / 2)
    assert relative_contrast(near[:, :1], np.array([3.0])) == pytest.approx(3 / 0.75)


def test_tight_clusters_have_more_contrast_than_one_cloud():
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((50, 16))
    for_query = {}
    for spread in (0.1, 1.0):
        x = centres[rng.integers(0, 50, 5_100)] + spread * rng.standard_normal((5_100, 16))
        near, every = nearest(x[100:], x[:100], 10), nearest(x[100:], x[:100], 5_000)
        for_query[spread] = relative_contrast(near, every)
    assert for_query[0.1] > 4 * for_query[1.0] > 4


def test_what_has_no_answer_is_refused():
    with pytest.raises(RecsysError, match="distance 0"):
        relative_contrast(np.zeros((3, 2)), np.ones(3))
    with pytest.raises(RecsysError, match="distance 0"):
        local_intrinsic_dimension(np.zeros((3, 10)))
    with pytest.raises(RecsysError, match="10 or more"):
        local_intrinsic_dimension(np.ones((3, 4)))
