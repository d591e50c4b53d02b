"""Calibrations find planted hit rates, never fall, and make channels comparable."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.recall import calibrate, score_bands


def test_bands_by_hand():
    scores = np.array([[3.0, 1.0, -np.inf], [4.0, 2.0, -np.inf]])
    hits = np.array([[True, False, False], [True, False, False]])
    mean, rate, size = score_bands(scores, hits, n_bands=2)
    assert mean.tolist() == [1.5, 3.5]
    assert rate.tolist() == [0, 1]
    assert size.tolist() == [2, 2]


def test_equal_scores_stay_together():
    _, rate, size = score_bands(np.array([1, 1, 1, 1, 2.0]), np.array([1, 0, 1, 0, 1]), 5)
    assert size.tolist() == [4, 1]
    assert rate.tolist() == [0.5, 1]


def test_planted_rates_are_found_whatever_the_unit():
    rng = np.random.default_rng(1)
    chance = rng.random(200_000)
    hits = rng.random(chance.size) < chance
    for score in (chance, 1_000 * chance - 5, np.log(chance)):
        found = calibrate(score, hits, n_bands=50)(score)
        assert np.abs(found - chance).mean() < 0.015


def test_a_calibration_never_falls():
    rng = np.random.default_rng(2)
    fitted = calibrate(rng.random(300), rng.random(300) < 0.3, n_bands=30)
    assert (np.diff(fitted.rates) >= 0).all()
    assert (np.diff(fitted.scores) > 0).all()
    assert fitted(np.array([-9.0, 9.0])).tolist() == [fitted.rates[0], fitted.rates[-1]]


def test_without_a_candidate_it_says_so():
    with pytest.raises(RecsysError, match="at least one candidate"):
        calibrate(np.full((2, 3), -np.inf), np.zeros((2, 3), bool))
