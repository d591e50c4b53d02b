"""Who asks when: requests of Zipf users at a rate that waves over the day and has spikes."""

from dataclasses import dataclass

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.seeding import generator


def zipf_shares(n: int, exponent: float) -> np.ndarray:
    """Return the share of all requests of each of ``n`` users: float64, (n,), largest first.

    The share of rank r is proportional to ``r ** -exponent``.
    """
    weights = np.arange(1, n + 1, dtype=np.float64) ** -exponent
    return weights / weights.sum()


@dataclass(frozen=True)
class Requests:
    """A trace of requests.

    Attributes
    ----------
    times_s : float64 array, shape (n,), sorted
    users : int64 array, shape (n,)
    """

    times_s: np.ndarray
    users: np.ndarray

    def __len__(self) -> int:
        return len(self.times_s)


@dataclass(frozen=True, kw_only=True)
class Spike:
    """A time of more requests.

    Attributes
    ----------
    at_s, length_s : float
    factor : float
        By which the rate is multiplied.
    """

    at_s: float
    length_s: float
    factor: float


@dataclass(frozen=True, kw_only=True)
class Workload:
    """An inhomogeneous Poisson process of requests, each of a random user.

    Attributes
    ----------
    rate : float
        Mean requests a second, without spikes.
    duration_s : float
    n_users : int
    exponent : float
        Of the Zipf distribution of users: 0 makes all alike.
    wave : float
        Relative height of the daily wave, 0 to 1.
    day_s : float
        Its period.
    spikes : tuple of Spike
    """

    rate: float
    duration_s: float
    n_users: int = 100_000
    exponent: float = 1.0
    wave: float = 0.0
    day_s: float = 86_400.0
    spikes: tuple[Spike, ...] = ()

    def __post_init__(self):
        if not (self.rate > 0 and self.duration_s > 0 and 0 <= self.wave <= 1):
            raise RecsysError(
                f"A workload needs a rate ({self.rate}) and a duration ({self.duration_s} s) above "
                f"0, and a wave ({self.wave}) from 0 to 1."
            )

    def rate_at(self, times_s) -> np.ndarray:
        """Return the rate in requests a second at each time."""
        times = np.asarray(times_s, dtype=np.float64)
        rate = self.rate * (1 + self.wave * np.sin(2 * np.pi * times / self.day_s))
        for spike in self.spikes:
            during = (times >= spike.at_s) & (times < spike.at_s + spike.length_s)
            rate = np.where(during, rate * spike.factor, rate)
        return rate

    def draw(self, seed: int | np.random.Generator) -> Requests:
        """Draw a trace: times by inverting the integral of the rate, users by their shares."""
        rng = generator(seed, "workload")
        edges = np.linspace(0, self.duration_s, 10_001)
        edges = np.union1d(
            edges,
            [
                min(moment, self.duration_s)
                for spike in self.spikes
                for moment in (spike.at_s, spike.at_s + spike.length_s)
            ],
        )
        expected = self.rate_at((edges[1:] + edges[:-1]) / 2) * np.diff(edges)
        integral = np.concatenate([[0.0], np.cumsum(expected)])
        n = rng.poisson(integral[-1])
        times = np.interp(np.sort(rng.uniform(0, integral[-1], n)), integral, edges)
        ends = np.cumsum(zipf_shares(self.n_users, self.exponent))
        users = np.searchsorted(ends, rng.random(n) * ends[-1], side="right")
        return Requests(times, users)
