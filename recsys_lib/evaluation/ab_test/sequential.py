"""A test that may be watched: its interval holds at all looks together.

Whoever looks at an ordinary test every day and stops when it is clear is wrong far more often than
promised. The mixture sequential probability ratio test (mSPRT; Robbins, 1970; Johari and others,
2015) pays for the looks with a wider interval.
"""

import numpy as np
import pandas as pd

from recsys_lib.errors import RecsysError

ALPHA = 0.05


def mixing_variance(planned_variance: float) -> float:
    """Return the mixing variance whose interval is narrowest at the planned end of the test.

    Parameters
    ----------
    planned_variance : float
        Of the difference of means at the end: ``sd ** 2 * (1 / n + 1 / m)``. A wrong plan costs
        width, not truth (Waudby-Smith and others, 2021).
    """
    looked_for = -2 * np.log(ALPHA)
    return float(planned_variance * (looked_for + np.log(looked_for + 1)))


def always_valid(difference, variance, mixing: float):
    """Return low and high end of the 95 % interval, and the p-value, of each look.

    Parameters
    ----------
    difference, variance : arrays, shape (..., looks)
        Of the means, and the variance of their difference.
    mixing : float
        See :func:`mixing_variance`; chosen before the test.

    Returns
    -------
    low, high, p_value : float64 arrays, shape (..., looks)
        The probability that the truth is ever outside is 5 %, and so is, without a difference,
        that the p-value ever falls to 0.05. It never rises again.
    """
    difference, variance = np.asarray(difference), np.asarray(variance)
    both = variance + mixing
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.log(both / variance)
        half = np.sqrt(variance * both / mixing * (spread - 2 * np.log(ALPHA)))
        log_ratio = mixing * difference**2 / (2 * variance * both) - spread / 2
    # Groups in which all users are alike so far say nothing yet.
    half = np.where(variance > 0, half, np.inf)
    log_ratio = np.where(variance > 0, log_ratio, 0.0)
    p_value = np.minimum.accumulate(np.exp(-np.maximum(log_ratio, 0.0)), axis=-1)
    return difference - half, difference + half, p_value


def watch(control, treatment, looks, *, planned_users: int, sd: float) -> pd.DataFrame:
    """Look at a running test several times.

    Parameters
    ----------
    control, treatment : arrays, shapes (n,) and (m,)
        One figure a user, in the order in which users came.
    looks : array of int
        Users of each group at each look.
    planned_users : int
        Of each group at the planned end.
    sd : float
        Standard deviation over users that the plan expects, from data of before the test.

    Returns
    -------
    DataFrame
        One row a look: ``users``, ``difference``, ``low``, ``high``, ``p_value``.
    """
    control, treatment = np.asarray(control, np.float64), np.asarray(treatment, np.float64)
    looks = np.asarray(looks)
    if looks.min() < 2 or looks.max() > min(len(control), len(treatment)):
        raise RecsysError(
            f"Looks at {looks.min()} to {looks.max()} users a group do not fit groups of "
            f"{len(control)} and {len(treatment)}; 2 users are the least."
        )
    means, variances = running_moments(np.stack([g[: looks.max()] for g in (control, treatment)]))
    at = looks - 1
    difference = means[1, at] - means[0, at]
    variance = variances[:, at].sum(axis=0) / looks
    mixing = mixing_variance(2 * sd**2 / planned_users)
    low, high, p_value = always_valid(difference, variance, mixing)
    return pd.DataFrame(
        {"users": looks, "difference": difference, "low": low, "high": high, "p_value": p_value}
    )


def running_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and variances of the first 1, 2, ... values of the last axis.

    The variance of a single value is 0.
    """
    count = np.arange(1, values.shape[-1] + 1)
    # About a middle value, so that the squares lose no digits.
    shifted = values - values.mean(axis=-1, keepdims=True)
    means = np.cumsum(shifted, axis=-1) / count
    squares = np.cumsum(shifted**2, axis=-1) / count - means**2
    variances = np.maximum(squares, 0.0) * count / np.maximum(count - 1, 1)
    return means + values.mean(axis=-1, keepdims=True), variances
