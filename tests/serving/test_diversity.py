"""Maximal marginal relevance by hand, and against the definition written as plain loops."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.serving import maximal_marginal_relevance as mmr


def test_by_hand():
    scores = np.array([10.0, 9.0, 5.0, 0.0])
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 0]])
    # Relevance 1, .9, .5, 0. After the first, the second is its twin: .45 - .5 < .25 - 0.
    assert mmr(scores, vectors, 4, 0.5).tolist() == [0, 2, 3, 1]
    assert mmr(scores, vectors, 2, 0.1).tolist() == [0, 1]


def test_without_diversity_the_order_of_scores_stays():
    scores = np.array([1.0, 3.0, 2.0, 3.0])
    assert mmr(scores, np.eye(4), 4, 0.0).tolist() == [1, 3, 2, 0]


@pytest.mark.parametrize("diversity", [0.2, 0.7, 1.0])
def test_equal_to_the_definition(diversity):
    rng = np.random.default_rng(8)
    scores, vectors = rng.normal(size=25), rng.random((25, 4))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    relevance = (scores - scores.min()) / (scores.max() - scores.min())
    picked: list[int] = []
    for _ in range(10):
        value = {
            i: (1 - diversity) * relevance[i]
            - diversity * max((float(unit[i] @ unit[j]) for j in picked), default=0.0)
            for i in range(25)
            if i not in picked
        }
        picked.append(max(value, key=value.get))
    assert mmr(scores, vectors, 10, diversity).tolist() == picked


def test_few_or_equal_or_no_candidates():
    assert mmr(np.array([2.0, 2.0]), np.eye(2), 5, 0.5).tolist() == [0, 1]
    assert mmr(np.empty(0), np.empty((0, 3)), 5, 0.5).tolist() == []


@pytest.mark.parametrize("diversity", [-0.1, 1.5, float("nan")])
def test_a_diversity_outside_0_to_1_is_refused(diversity):
    with pytest.raises(RecsysError, match="diversity must lie"):
        mmr(np.ones(2), np.eye(2), 1, diversity)
