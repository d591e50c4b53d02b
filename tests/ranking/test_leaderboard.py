"""The board: what it measures, and that differences are paired."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from recsys_lib.evaluation import auc
from recsys_lib.ranking import (
    Entry,
    RankingConfig,
    enter,
    enter_boosted_trees,
    leaderboard,
    neighbours,
    paired_difference,
)


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(60), 20)
    return pd.DataFrame({"user_id": users, "label": rng.integers(0, 2, len(users))})


def guess(judged, quality: float, seed: int) -> np.ndarray:
    """Return scores in (0, 1) that lean towards the labels."""
    noise = np.random.default_rng(seed).normal(size=len(judged))
    return 1 / (1 + np.exp(-(quality * judged["label"].to_numpy() + noise)))


def entry(judged, quality: float, *seeds: int) -> Entry:
    return Entry(np.stack([guess(judged, quality, s) for s in seeds]), np.empty(0))


def test_the_better_model_stands_above_with_its_measures(judged):
    entries = {"poor": entry(judged, 0.2, 1, 2), "good": entry(judged, 2.0, 3, 4)}
    board = leaderboard(entries, judged)
    assert list(board.index) == ["good", "poor"]
    by_seed = [roc_auc_score(judged["label"], s) for s in entries["good"].scores]
    assert board.loc["good", "auc"] == pytest.approx(np.mean(by_seed))
    assert board.loc["good", "auc_seed_range"] == pytest.approx(abs(by_seed[0] - by_seed[1]))
    assert (board["auc_low"] < board["auc"]).all()
    assert (board["auc"] < board["auc_high"]).all()


def test_a_clear_difference_is_clear_and_none_is_none(judged):
    good, poor = entry(judged, 2.0, 3, 4), entry(judged, 0.2, 1, 2)
    told = paired_difference(good, poor, judged)
    assert 0 < told["low"] < told["difference"] < told["high"]
    assert told["p"] < 0.05
    same = paired_difference(good, entry(judged, 2.0, 5, 6), judged)
    assert same["low"] < 0 < same["high"]
    assert same["p"] > 0.05


def test_pairing_makes_the_interval_narrower_than_the_two_apart(judged):
    # Two models that share nearly all of their errors: only pairing tells them apart.
    base = guess(judged, 1.0, 7)
    better = base + 0.02 * judged["label"].to_numpy()
    first, second = Entry(better[None], np.empty(0)), Entry(base[None], np.empty(0))
    told = paired_difference(first, second, judged)
    board = leaderboard({"first": first, "second": second}, judged)
    assert told["low"] > 0
    assert board.loc["first", "auc_low"] < board.loc["second", "auc_high"]


def test_neighbours_compares_each_row_with_the_next(judged):
    entries = {"a": entry(judged, 2.0, 1), "b": entry(judged, 1.0, 2), "c": entry(judged, 0.1, 3)}
    board = leaderboard(entries, judged)
    between = neighbours(board, entries, judged)
    assert list(between.index) == ["a - b", "b - c"]
    assert between["difference"].to_list() == pytest.approx(
        [board["auc"].iloc[0] - board["auc"].iloc[1], board["auc"].iloc[1] - board["auc"].iloc[2]]
    )


@pytest.mark.slow
def test_a_kind_is_entered_once_a_seed_and_stops_on_validation(samples, small_config):
    train, validation, test = samples[:300], samples[300:450], samples[450:]
    patient = replace(small_config, training=replace(small_config.training, epochs=4, patience=2))
    found = enter("fm", train, validation, test, patient, seeds=(1, 2))
    assert found.scores.shape == (2, len(test))
    assert not np.array_equal(*found.scores)
    assert found.validation_auc.shape == (2,)
    assert found.n_parameters > 0
    # Nothing of the test part is used: other labels there change nothing.
    again = enter("fm", train, validation, test.assign(label=0), patient, seeds=(1,))
    assert np.array_equal(again.scores[0], found.scores[0])


def test_trees_learn_and_their_number_is_chosen_on_validation(samples):
    train, validation, test = samples[:400], samples[400:500], samples[500:]
    config = RankingConfig(bags=(), history=())
    found = enter_boosted_trees(train, validation, test, config, most_trees=20)
    assert auc(test["label"], found.scores[0]) > 0.7
    assert 1 <= found.epochs <= 20
    assert found.validation_auc[0] > 0.6
    more = enter_boosted_trees(train, validation, test, config, most_trees=20, refit=True)
    assert not np.array_equal(more.scores, found.scores)
