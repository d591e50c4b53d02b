"""Boards: rows with intervals, differences that pair, and what a board looks like as text."""

import numpy as np
import pytest
from scipy import stats

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import (
    Evaluation,
    comparison_board,
    mean_difference,
    mean_interval,
    paired_differences,
)

USERS = np.arange(200)
METRICS = ("recall_at_10", "ndcg_at_10")


def evaluation(gain: float, seed: int = 0) -> Evaluation:
    """Figures of 200 users who differ a lot from each other and little between methods."""
    ease = np.random.default_rng(1).random(len(USERS))
    noise = np.random.default_rng(seed + 2).normal(0, 0.01, len(USERS))
    figures = ease / 2 + gain + noise
    lists = np.zeros((len(USERS), 10), np.int64)
    return Evaluation(USERS, dict.fromkeys(METRICS, figures), coverage=0.5, item_ids=lists)


@pytest.fixture
def results() -> dict[str, Evaluation]:
    return {"plain": evaluation(0.0), "better": evaluation(0.02, 1), "same": evaluation(0.0, 2)}


def test_a_row_holds_each_metric_with_its_interval(results):
    board = comparison_board(results, METRICS)
    assert list(board.index) == ["plain", "better", "same"]
    assert list(board) == [*METRICS]
    expected = mean_interval(results["better"].per_user["recall_at_10"])
    assert board.loc["better", "recall_at_10"] == expected
    assert board.map(str).loc["better", "recall_at_10"] == str(expected)


def test_only_pairing_distinguishes_methods_that_share_their_errors(results):
    board = comparison_board(results, ["recall_at_10"], anchor="plain")
    alone, apart = board["recall_at_10"], board["recall_at_10 - plain"]
    assert alone["better"].low < alone["plain"].high  # these intervals overlap
    assert apart["better"].low > 0
    assert apart["same"].low < 0 < apart["same"].high
    assert apart["plain"] == (0, 0, 0)


def test_differences_of_pairs_are_the_first_less_the_second(results):
    found = paired_differences(results, [("better", "plain"), ("plain", "same")], "ndcg_at_10")
    assert list(found.index) == ["better - plain", "plain - same"]
    expected = mean_difference(*(results[n].per_user["ndcg_at_10"] for n in ("better", "plain")))
    assert tuple(found.loc["better - plain"]) == expected
    assert found.loc["better - plain", "difference"] == pytest.approx(
        results["better"].mean("ndcg_at_10") - results["plain"].mean("ndcg_at_10")
    )
    assert list(paired_differences(results, [], "ndcg_at_10")) == ["difference", "low", "high"]


def test_a_paired_difference_is_that_of_the_t_test():
    rng = np.random.default_rng(4)
    first, second = rng.normal(0.03, 1, (2, 2_000)) + rng.normal(size=2_000)
    for shift in (0.0, 0.05):
        found = mean_difference(first + shift, second, n_resamples=4_000)
        peer = stats.ttest_rel(first + shift, second)
        interval = peer.confidence_interval()
        assert found[:3] == pytest.approx(
            (np.mean(first + shift - second), interval.low, interval.high), abs=0.005
        )


def test_without_users_or_with_other_users_there_is_no_difference():
    assert np.isnan(mean_difference([], [])).all()
    with pytest.raises(RecsysError, match="same users"):
        mean_difference([1.0], [1.0, 2.0])


def test_a_misspelt_anchor_names_the_nearest(results):
    with pytest.raises(RecsysError, match=r"no result 'plian'\. Did you mean 'plain'"):
        comparison_board(results, METRICS, anchor="plian")
    with pytest.raises(RecsysError, match="no result 'worse'"):
        paired_differences(results, [("plain", "worse")], "ndcg_at_10")
