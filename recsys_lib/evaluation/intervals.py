"""How sure a mean over users is."""

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


def mean_interval(values, seed: int = DEFAULT_SEED, n_resamples: int = 1_000) -> Interval:
    """Return the mean of ``values`` with its 95 % percentile bootstrap interval.

    Parameters
    ----------
    values : array, shape (n,)
        One figure a user (or the difference of two methods on the same users).
    seed : int
        Of the resampling.
    n_resamples : int
        Bootstrap samples (Efron, 1979).
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        raise RecsysError("An interval needs at least one value; no user was judged.")
    rng = generator(seed, "bootstrap")
    # One row of counts a resample: a matrix product instead of a loop over resamples.
    counts = rng.multinomial(values.size, np.full(values.size, 1 / values.size), size=n_resamples)
    low, high = np.quantile(counts @ values / values.size, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))
