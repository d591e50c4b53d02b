"""How sure a mean over users or seeds, or a difference of two, is."""

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from recsys_lib.errors import RecsysError
from recsys_lib.seeding import DEFAULT_SEED, generator

_COUNTS_AT_ONCE = 20_000_000  # 160 MB: a million users times a thousand resamples would be 8 GB
_COUNTS_KEPT = 2_000_000  # 16 MB


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval; NaN where there is nothing to take them from."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.mean):
            return "no value"
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def resamples(
    n: int, n_resamples: int, rng: np.random.Generator, n_rows: int | None = None
) -> Iterator[np.ndarray]:
    """Yield how often each of ``n`` is drawn with replacement, some resamples at a time.

    However many are yielded at a time, they are the same ones.

    Parameters
    ----------
    n, n_resamples : int
    rng : numpy Generator
    n_rows : int, optional
        Numbers that a caller holds for each resample, where these are more than ``n``.

    Yields
    ------
    int64 array, shape (some, n)
    """
    at_once = max(1, _COUNTS_AT_ONCE // max(n, n_rows or 0))
    for start in range(0, n_resamples, at_once):
        yield rng.multinomial(n, np.full(n, 1 / n), size=min(at_once, n_resamples - start))


def _bootstrap(n: int, n_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the resamples of one seed, which take longer to draw than to use."""
    if n * n_resamples <= _COUNTS_KEPT:
        yield _kept_bootstrap(n, n_resamples, seed)
    else:
        yield from resamples(n, n_resamples, generator(seed, "bootstrap"))


@functools.lru_cache(maxsize=2)  # one figure after another is of the same users
def _kept_bootstrap(n: int, n_resamples: int, seed: int) -> np.ndarray:
    drawn = resamples(n, n_resamples, generator(seed, "bootstrap"))
    return np.concatenate([*drawn]).astype(np.float64)


def mean_interval(values, seed: int = DEFAULT_SEED, n_resamples: int = 1_000) -> Interval:
    """Return the mean of ``values`` with its 95 % percentile bootstrap interval.

    Parameters
    ----------
    values : array, shape (n,)
        One figure for each user. Without a user all is NaN.
    seed : int
        Seed of the resampling.
    n_resamples : int
        Number of bootstrap samples (Efron, 1979).
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        return Interval(np.nan, np.nan, np.nan)
    # One row of counts for each resample: a matrix product in place of a loop over resamples.
    sums = [counts @ values for counts in _bootstrap(values.size, n_resamples, seed)]
    low, high = np.quantile(np.concatenate(sums) / values.size, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def mean_difference(first, second, seed: int = DEFAULT_SEED, n_resamples: int = 1_000) -> Interval:
    """Compare two figures of the same users: the mean of ``first - second`` and its interval.

    Parameters are those of :func:`mean_interval`; row by row, both arrays speak of one user.

    Raises
    ------
    RecsysError
        The arrays have different lengths.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise RecsysError(
            f"Figures of shapes {first.shape} and {second.shape} are not of the same users."
        )
    return mean_interval(first - second, seed, n_resamples)


def seed_interval(values) -> Interval:
    """Return the mean of ``values`` with its 95 % interval by Student's t.

    For a handful of runs that differ in their seed; a bootstrap of so few is too narrow.

    Parameters
    ----------
    values : array, shape (n,)
        One figure a run. Without a second run the ends are NaN.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        raise RecsysError("An interval needs at least one value; there was no run.")
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, np.nan, np.nan)
    half = stdtrit(values.size - 1, 0.975) * values.std(ddof=1) / np.sqrt(values.size)
    return Interval(mean, float(mean - half), float(mean + half))


def seeds_and_users_interval(
    values, seed: int = DEFAULT_SEED, n_resamples: int = 1_000
) -> Interval:
    """Return a mean with the 95 % interval that holds for other users *and* other seeds.

    Trainings and users are resampled independently of each other (the pigeonhole bootstrap; Owen,
    2007). It errs on the wide side. An interval over users alone says nothing about the training,
    and one over seeds alone nothing about the users.

    Parameters
    ----------
    values : array, shape (n_seeds, n_users)
        One figure for each training and each user; or differences of two such arrays.
    seed : int
        Seed of the resampling.
    n_resamples : int

    Raises
    ------
    RecsysError
        ``values`` has another shape.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] == 0:
        raise RecsysError(
            f"Figures of seeds and users have the shape (n_seeds, n_users), not {values.shape}."
        )
    if values.shape[1] == 0:
        return Interval(np.nan, np.nan, np.nan)
    rng = generator(seed, "bootstrap of seeds and users")
    n_seeds, n_users = values.shape
    of_seeds = np.concatenate([*resamples(n_seeds, n_resamples, rng)]) / n_seeds
    means, done = [], 0
    for counts in resamples(n_users, n_resamples, rng):
        some = of_seeds[done : done + len(counts)]
        means.append(np.einsum("ru,ru->r", some @ values, counts / n_users))
        done += len(counts)
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))
