"""A/A tests: how often a test cries wolf when there is no difference at all."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from recsys_lib.evaluation.ab_test.sequential import (
    ALPHA,
    always_valid,
    mixing_variance,
    running_moments,
)
from recsys_lib.seeding import DEFAULT_SEED, generator


def likes_of_users(rng: np.random.Generator, shape) -> np.ndarray:
    """Draw a skewed figure a user: likes, from a Poisson distribution of gamma means."""
    return rng.poisson(rng.gamma(1.0, 2.0, shape)).astype(np.float64)


def false_alarms(
    n_tests: int = 2_000,
    *,
    users: int = 2_000,
    looks: int = 10,
    effect: float = 0.0,
    draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray] = likes_of_users,
    seed: int = DEFAULT_SEED,
) -> pd.DataFrame:
    """Run many tests of a treatment that does nothing (A/A), and count the alarms at 5 %.

    Parameters
    ----------
    n_tests : int
    users : int
        Of each group, who come one after the other.
    looks : int
        Evenly spread; the last is at the end.
    effect : float
        Added to the treatment: then the alarms are right, and their rate is the power.
    draw : function
        Draws figures of users, of a shape.
    seed : int

    Returns
    -------
    DataFrame
        One row a way to test: ``at the end`` once, ``peeking`` at every look with the ordinary
        test, ``sequential`` at every look with the test made for it. ``alarms`` is the share of
        tests with one; ``low`` and ``high`` the ends of its 95 % interval (Wilson, 1927).
    """
    rng = generator(seed, "false_alarms")
    at = np.round(np.linspace(0, users, looks + 1)[1:]).astype(int) - 1
    differences, variances = [], []
    for _ in range(n_tests):  # one at a time keeps the memory small
        means, spread = running_moments(draw(rng, (2, users)))
        differences.append(means[1, at] - means[0, at] + effect)
        variances.append(spread[:, at].sum(axis=0) / (at + 1))
    difference, variance = np.array(differences), np.array(variances)
    clear = np.abs(difference) > stats.norm.ppf(1 - ALPHA / 2) * np.sqrt(variance)
    plan = mixing_variance(float(variance[:, -1].mean()))
    low, high, _ = always_valid(difference, variance, plan)
    alarms = {
        "at the end": clear[:, -1],
        "peeking": clear.any(axis=1),
        "sequential": ((low > 0) | (high < 0)).any(axis=1),
    }
    rows = []
    for name, alarm in alarms.items():
        interval = stats.binomtest(int(alarm.sum()), n_tests).proportion_ci(method="wilson")
        rows.append({"test": name, "alarms": alarm.mean(), "low": interval[0], "high": interval[1]})
    return pd.DataFrame(rows)
