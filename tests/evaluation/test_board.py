"""Boards: rows with intervals, differences that pair, and what a board looks like as text."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import (
    Evaluation,
    comparison_board,
    mean_difference,
    mean_interval,
    paired_differences,
    with_intervals,
)

USERS = np.arange(200)
METRICS = ("recall_at_10", "ndcg_at_10")


def evaluation(gain: float, seed: int = 0) -> Evaluation:
    """Figures of 200 users who differ a lot from each other and little between methods."""
    ease = np.random.default_rng(1).random(len(USERS))
    noise = np.random.default_rng(seed + 2).normal(0, 0.01, len(USERS))
    figures = ease / 2 + gain + noise
    return Evaluation(USERS, dict.fromkeys(METRICS, figures), coverage=0.5)


@pytest.fixture
def results() -> dict[str, Evaluation]:
    return {"plain": evaluation(0.0), "better": evaluation(0.02, 1), "same": evaluation(0.0, 2)}


def test_a_row_holds_each_metric_with_its_interval(results):
    board = comparison_board(results, METRICS)
    assert list(board.index) == ["plain", "better", "same"]
    assert list(board) == [f"{m}{end}" for m in METRICS for end in ("", "_low", "_high")]
    expected = mean_interval(results["better"].per_user["recall_at_10"])
    assert tuple(board.loc["better"][:3]) == expected


def test_only_pairing_tells_methods_apart_that_share_their_errors(results):
    board = comparison_board(results, ["recall_at_10"], anchor="plain")
    better, same = board.loc["better"], board.loc["same"]
    assert better["recall_at_10_low"] < board.loc["plain", "recall_at_10_high"]  # they overlap
    assert better["recall_at_10_difference_low"] > 0
    assert same["recall_at_10_difference_low"] < 0 < same["recall_at_10_difference_high"]
    assert board.loc["plain"].filter(like="difference").isna().all()


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
    with pytest.raises(RecsysError, match="at least one value"):
        mean_difference([], [])
    with pytest.raises(RecsysError, match="same users"):
        mean_difference([1.0], [1.0, 2.0])


def test_a_board_as_text(results):
    board = comparison_board(results, ["recall_at_10"], anchor="plain")
    board["coverage"] = [0.5, 0.25, 0.125]
    shown = with_intervals(board, digits=2)
    assert list(shown) == ["recall_at_10", "recall_at_10_difference", "coverage"]
    assert shown.loc["plain", "recall_at_10_difference"] == ""
    row = board.loc["better", ["recall_at_10", "recall_at_10_low", "recall_at_10_high"]]
    assert shown.loc["better", "recall_at_10"] == "{:.2f} [{:.2f}, {:.2f}]".format(*row)
    assert shown["coverage"].to_list() == [0.5, 0.25, 0.125]
    # Three digits are those of an interval by itself.
    texts = with_intervals(comparison_board(results, METRICS))
    assert texts.loc["same", "ndcg_at_10"] == str(results["same"].interval("ndcg_at_10"))


def test_columns_without_an_interval_stay_where_they_are():
    frame = pd.DataFrame({"price_low": [1], "auc": [0.5], "auc_low": [0.4], "auc_high": [0.6]})
    assert with_intervals(frame).iloc[0].to_dict() == {
        "price_low": 1,
        "auc": "0.500 [0.400, 0.600]",
    }


def test_a_misspelt_anchor_names_the_nearest(results):
    with pytest.raises(RecsysError, match=r"no result 'plian'\. Did you mean 'plain'"):
        comparison_board(results, METRICS, anchor="plian")
    with pytest.raises(RecsysError, match="no result 'worse'"):
        paired_differences(results, [("plain", "worse")], "ndcg_at_10")
