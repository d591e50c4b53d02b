"""The leaderboard of ranking models: what it measures, and that differences are paired."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import auc, paired_differences, per_user_ndcg
from recsys_lib.ranking import (
    Predictions,
    RankingConfig,
    leaderboard,
    train_and_predict,
    train_and_predict_trees,
)


@pytest.fixture(scope="module")
def held_out() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(60), 20)
    return pd.DataFrame({"user_id": users, "label": rng.integers(0, 2, len(users))})


def guess(samples, quality: float, seed: int) -> np.ndarray:
    """Return scores in (0, 1) that lean towards the labels."""
    noise = np.random.default_rng(seed).normal(size=len(samples))
    return 1 / (1 + np.exp(-(quality * samples["label"].to_numpy() + noise)))


def guesses(samples, quality: float, *seeds: int) -> Predictions:
    return Predictions.of(samples, np.stack([guess(samples, quality, seed) for seed in seeds]))


def test_the_better_model_is_above_the_other_with_its_metrics(held_out):
    good, poor = guesses(held_out, 2.0, 3, 4), guesses(held_out, 0.2, 1, 2)
    board = leaderboard({"poor": poor, "good": good})
    assert list(board.index) == ["good", "poor"]
    by_seed = [roc_auc_score(held_out["label"], scores) for scores in good.scores]
    assert board.loc["good", "auc"] == pytest.approx(np.mean(by_seed))
    assert board.loc["good", "auc_seed_range"] == pytest.approx(abs(by_seed[0] - by_seed[1]))
    assert (board["auc_low"] < board["auc"]).all()
    assert (board["auc"] < board["auc_high"]).all()
    ndcg = [per_user_ndcg(held_out["user_id"], held_out["label"], s) for s in good.scores]
    assert board.loc["good", "per_user_ndcg"] == pytest.approx(np.mean(ndcg))
    assert (board.loc["good", ["log_loss", "calibration_error"]] > 0).all()


def test_a_clear_difference_is_clear_and_none_is_none(held_out):
    good, poor = guesses(held_out, 2.0, 3, 4), guesses(held_out, 0.2, 1, 2)
    found = good.difference(poor)
    assert 0 < found.low < found.mean < found.high
    same = good.difference(guesses(held_out, 2.0, 5, 6))
    assert same.low < 0 < same.high


def test_pairing_makes_the_interval_narrower_than_the_two_apart(held_out):
    # Two models that share nearly all of their errors: only pairing distinguishes them.
    base = guess(held_out, 1.0, 7)
    models = {
        "first": Predictions.of(held_out, base + 0.02 * held_out["label"].to_numpy()),
        "second": Predictions.of(held_out, base),
    }
    between = paired_differences(models, [("first", "second")], "auc")
    board = leaderboard(models)
    assert between.loc["first - second", "low"] > 0
    assert between.loc["first - second", "difference"] == pytest.approx(
        board.loc["first", "auc"] - board.loc["second", "auc"]
    )
    assert board.loc["first", "auc_low"] < board.loc["second", "auc_high"]


def test_some_of_the_samples_are_measured_by_themselves(held_out):
    every = guesses(held_out, 1.0, 1, 2)
    mask = (held_out["user_id"] < 20).to_numpy()
    expected = [roc_auc_score(held_out["label"][mask], scores[mask]) for scores in every.scores]
    assert every.where(mask).by_seed("auc") == pytest.approx(expected)


def test_what_cannot_be_compared_or_measured_is_refused(held_out):
    every = guesses(held_out, 1.0, 1)
    with pytest.raises(RecsysError, match="same samples"):
        every.difference(guesses(held_out[::-1], 1.0, 1))
    with pytest.raises(RecsysError, match=r"no metric 'acu'\. Did you mean 'auc'"):
        every.mean("acu")
    with pytest.raises(RecsysError, match="interval for 'auc' only"):
        every.interval("log_loss")
    with pytest.raises(RecsysError, match="3 scores do not fit 1200 samples"):
        Predictions.of(held_out, np.zeros(3))


@pytest.mark.slow
def test_a_kind_is_trained_once_a_seed_and_stops_on_validation(samples, small_config):
    train, validation, test = samples[:300], samples[300:450], samples[450:]
    patient = small_config.with_settings(epochs=4, patience=2)
    found = train_and_predict("fm", train, validation, test, patient, seeds=(1, 2))
    assert found.scores.shape == (2, len(test))
    assert not np.array_equal(*found.scores)
    assert found.validation_auc.shape == (2,)
    assert found.n_parameters > 0
    # Nothing of the test part is used: other labels there change nothing.
    again = train_and_predict("fm", train, validation, test.assign(label=0), patient, seeds=(1,))
    assert np.array_equal(again.scores[0], found.scores[0])


def test_trees_learn_and_their_number_is_chosen_on_validation(samples):
    train, validation, test = samples[:400], samples[400:500], samples[500:]
    config = RankingConfig(bags=(), history=())
    found = train_and_predict_trees(train, validation, test, config, most_trees=20)
    assert auc(test["label"], found.scores[0]) > 0.7
    assert 1 <= found.epochs <= 20
    assert found.validation_auc[0] > 0.6
    more = train_and_predict_trees(train, validation, test, config, most_trees=20, refit=True)
    assert not np.array_equal(more.scores, found.scores)
