"""Ranking metrics by hand, and against an independent implementation."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import ndcg_score

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import ranking_metrics, relevant_items


def relevant(pairs):
    rows = [(user, item, 5, 1) for user, item in pairs]
    return relevant_items(pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"]))


def test_by_hand_perfect_half_none_and_short():
    liked = relevant([(1, 10), (1, 11), (2, 10), (2, 12), (3, 10), (4, 11)])
    lists = np.array([[10, 11], [12, 99], [98, 99], [-1, -1]])
    got = ranking_metrics(lists, liked, ks=(1, 2))
    assert got["recall_at_1"].tolist() == [0.5, 0.5, 0, 0]
    assert got["recall_at_2"].tolist() == [1, 0.5, 0, 0]
    assert got["hit_rate_at_2"].tolist() == [1, 1, 0, 0]
    assert got["precision_at_2"].tolist() == [1, 0.5, 0, 0]
    # The only hit of user 2 is at the top: precision 1 there, of two likes.
    assert got["map_at_2"].tolist() == [1, 0.5, 0, 0]
    assert got["mrr_at_2"].tolist() == [1, 1, 0, 0]
    # Two liked items: the ideal gain is 1 + 1/log2(3); one hit at the top earns 1 of it.
    assert got["ndcg_at_2"] == pytest.approx([1, 1 / (1 + 1 / np.log2(3)), 0, 0])


def test_dislikes_are_not_relevant():
    frame = pd.DataFrame(
        [(1, 10, 3, 1), (1, 11, 4, 2)], columns=["user_id", "item_id", "rating", "timestamp"]
    )
    assert relevant_items(frame).item_ids.tolist() == [11]
    assert relevant_items(frame, min_rating=None).item_ids.tolist() == [10, 11]


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_independent_references(seed):
    rng = np.random.default_rng(seed)
    n_users, n_items, k = 30, 40, 10
    likes = rng.random((n_users, n_items)) < 0.1
    likes[:, 0] |= ~likes.any(axis=1)
    liked = relevant(np.argwhere(likes))
    scores = rng.random((n_users, n_items))
    lists = np.argsort(-scores, axis=1)[:, :20]
    got = ranking_metrics(lists, liked, ks=(k,))
    for user in range(n_users):
        expected = ndcg_score([likes[user]], [scores[user]], k=k)
        assert got[f"ndcg_at_{k}"][user] == pytest.approx(expected, abs=1e-12)
        found = set(lists[user, :k]) & set(np.flatnonzero(likes[user]))
        assert got[f"recall_at_{k}"][user] == len(found) / likes[user].sum()


def test_subset_of_users():
    part = relevant([(1, 10), (2, 11), (2, 12), (3, 13)]).of([3, 2, 9])
    assert part.user_ids.tolist() == [2, 3]
    assert part.offsets.tolist() == [0, 2, 3]
    assert part.item_ids.tolist() == [11, 12, 13]


def test_lists_that_do_not_fit_are_refused():
    liked = relevant([(1, 10)])
    with pytest.raises(RecsysError, match=r"\(2, 10\)"):
        ranking_metrics(np.zeros((2, 10), dtype=int), liked, ks=(10,))
    with pytest.raises(RecsysError, match="k up to 20"):
        ranking_metrics(np.zeros((1, 10), dtype=int), liked, ks=(20,))
