"""Intervals over users, over seeds, and over both."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import mean_interval, resampled_auc, seeds_and_users_interval
from recsys_lib.evaluation.intervals import resamples
from recsys_lib.seeding import generator


def width(interval) -> float:
    return interval.high - interval.low


def test_with_one_training_only_users_are_drawn():
    values = np.random.default_rng(0).normal(0.1, 1, (1, 400))
    both, users = seeds_and_users_interval(values), mean_interval(values[0])
    assert both.mean == pytest.approx(users.mean)
    assert width(both) == pytest.approx(width(users), rel=0.1)


def test_it_covers_the_truth_where_seeds_differ_and_an_interval_over_users_does_not():
    rng, covered = np.random.default_rng(1), {"both": 0, "users": 0}
    for _ in range(100):
        # A training moves all users together, and users differ from each other.
        values = rng.normal(0, 1, (10, 1)) + rng.normal(0, 5, (1, 300))
        both = seeds_and_users_interval(values, n_resamples=300)
        users = mean_interval(values.mean(axis=0), n_resamples=300)
        covered["both"] += both.low < 0 < both.high
        covered["users"] += users.low < 0 < users.high
    assert covered["both"] >= 88  # 95 expected of a perfect one; ten seeds make it a little narrow
    assert covered["users"] < 88


def test_nobody_gives_no_value_and_another_shape_is_refused():
    assert str(seeds_and_users_interval(np.empty((3, 0)))) == "no value"
    for wrong in (np.zeros(3), np.empty((0, 3))):
        with pytest.raises(RecsysError, match="n_seeds, n_users"):
            seeds_and_users_interval(wrong)


@pytest.mark.parametrize("at_once", [1, 70, 1_000])
def test_the_resamples_are_the_same_however_many_are_drawn_at_a_time(monkeypatch, at_once):
    """Memory is bounded: before, a million users took 8 GB for one interval."""
    rng = generator(4, "figures")
    values, labels = rng.random((3, 50)), rng.integers(0, 2, 150)
    scores, users = rng.integers(0, 9, 150), np.repeat(np.arange(50), 3)

    def intervals():
        of_auc = resampled_auc(labels, scores, users)
        return [*mean_interval(values[0]), *seeds_and_users_interval(values), *of_auc]

    whole = intervals()
    sizes = []

    def at_a_time(*arguments, **keywords):
        for counts in resamples(*arguments, **keywords):
            sizes.append(counts.size)
            yield counts

    monkeypatch.setattr("recsys_lib.evaluation.intervals._COUNTS_AT_ONCE", at_once)
    for module in ("intervals", "resampled"):
        monkeypatch.setattr(f"recsys_lib.evaluation.{module}.resamples", at_a_time)
    np.testing.assert_allclose(intervals(), whole, rtol=1e-12)
    assert max(sizes) <= max(at_once, 50)
