"""How sure a mean over users, or a difference of two, is."""

from typing import NamedTuple

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.seeding import DEFAULT_SEED, generator


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Difference(NamedTuple):
    """A difference of two means over the same users, and how sure it is.

    Attributes
    ----------
    difference : float
        The first mean less the second.
    low, high : float
        Ends of the 95 % interval of the difference.
    p : float
        Two-sided bootstrap p-value: twice the share of resamples in which the difference is zero
        or has the other sign. It is never below 2 / (number of resamples).
    """

    difference: float
    low: float
    high: float
    p: float

    def __str__(self) -> str:
        return f"{self.difference:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @classmethod
    def of(cls, difference: float, resamples: np.ndarray) -> "Difference":
        """Return the difference with the percentiles of its resamples, shape (n_resamples,)."""
        low, high = np.quantile(resamples, [0.025, 0.975])
        other_sign = min((resamples <= 0).mean(), (resamples >= 0).mean())
        p = min(1.0, 2 * max(other_sign, 1 / len(resamples)))
        return cls(float(difference), float(low), float(high), float(p))


def mean_interval(values, seed: int = DEFAULT_SEED, n_resamples: int = 1_000) -> Interval:
    """Return the mean of ``values`` with its 95 % percentile bootstrap interval.

    Parameters
    ----------
    values : array, shape (n,)
        One figure for each user.
    seed : int
        Seed of the resampling.
    n_resamples : int
        Number of bootstrap samples (Efron, 1979).

    Raises
    ------
    RecsysError
        There is no value.
    """
    values = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(_resampled_means(values, seed, n_resamples), [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def mean_difference(
    first, second, seed: int = DEFAULT_SEED, n_resamples: int = 1_000
) -> Difference:
    """Compare two figures of the same users: the mean of ``first - second`` and its interval.

    Parameters are those of :func:`mean_interval`; row by row, both arrays speak of one user.

    Raises
    ------
    RecsysError
        There is no value, or the arrays have different lengths.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise RecsysError(
            f"Figures of shapes {first.shape} and {second.shape} are not of the same users."
        )
    values = first - second
    resamples = _resampled_means(values, seed, n_resamples)
    return Difference.of(values.mean(), resamples)


def _resampled_means(values: np.ndarray, seed: int, n_resamples: int) -> np.ndarray:
    """Return the mean of each bootstrap sample: float64, (n_resamples,)."""
    if values.size == 0:
        raise RecsysError("An interval needs at least one value, but no user was evaluated.")
    rng = generator(seed, "bootstrap")
    # One row of counts for each resample: a matrix product in place of a loop over resamples.
    counts = rng.multinomial(values.size, np.full(values.size, 1 / values.size), size=n_resamples)
    return counts @ values / values.size
