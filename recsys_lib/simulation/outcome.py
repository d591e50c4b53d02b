"""What became of each request of a simulation."""

from dataclasses import dataclass

import numpy as np

from recsys_lib.simulation.workload import Requests

COMPUTED, FROM_SERVER, FROM_REDIS = 0, 1, 2
SHED, FAILED = -1, -2


@dataclass(frozen=True)
class Outcome:
    """The requests of a simulation, one place each.

    Attributes
    ----------
    requests : Requests
    latency_s : float64 array, shape (n,)
        From arrival to answer; NaN without an answer.
    level : int8 array, shape (n,)
        Place of the level, 0 for the best; ``SHED`` or ``FAILED`` without an answer.
    source : int8 array, shape (n,)
        ``COMPUTED``, ``FROM_SERVER`` (its own cache), ``FROM_REDIS``; without an answer ``SHED``
        or ``FAILED``.
    server : int32 array, shape (n,)
        Place of the server that had it last; -1 if none had.
    """

    requests: Requests
    latency_s: np.ndarray
    level: np.ndarray
    source: np.ndarray
    server: np.ndarray

    def between(self, start_s: float, end_s: float) -> "Outcome":
        """Return the requests that arrived from ``start_s`` until before ``end_s``."""
        low, high = np.searchsorted(self.requests.times_s, [start_s, end_s])
        part = slice(low, high)
        return Outcome(
            Requests(self.requests.times_s[part], self.requests.users[part]),
            self.latency_s[part],
            self.level[part],
            self.source[part],
            self.server[part],
        )

    def availability(self, within_s: float = 1.0) -> float:
        """Return the share of all requests that were answered in time; shed ones count against."""
        return float((self.latency_s <= within_s).mean())  # NaN is not in time

    def goodput(self, within_s: float = 1.0) -> float:
        """Return the answers in time a second, over the time in which requests arrived."""
        times = self.requests.times_s
        return float((self.latency_s <= within_s).sum() / (times[-1] - times[0]))

    def percentile(self, *percents: float) -> np.ndarray:
        """Return percentiles of the latency of answered requests, in seconds."""
        return np.percentile(self.latency_s[self.level >= 0], percents)

    def mean_latency(self) -> float:
        """Return the mean latency of answered requests, in seconds."""
        return float(np.nanmean(self.latency_s))

    def hit_rate(self) -> float:
        """Return the share of answered requests that came from a cache."""
        return float((self.source[self.level >= 0] != COMPUTED).mean())

    def shares_of_levels(self, n_levels: int) -> np.ndarray:
        """Return the share of all requests answered at each level: float64, (n_levels,)."""
        answered = self.level[self.level >= 0]
        return np.bincount(answered, minlength=n_levels) / len(self.level)

    def requests_of_servers(self, n_servers: int) -> np.ndarray:
        """Return how many requests each server had: int64, (n_servers,)."""
        return np.bincount(self.server[self.server >= 0], minlength=n_servers)
