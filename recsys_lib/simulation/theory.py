"""What queueing and caching theory predict: a simulation that misses these is wrong."""

from bisect import bisect_left

import numpy as np
from scipy.optimize import brentq

from recsys_lib.errors import RecsysError


def erlang_c(workers: int, load: float) -> float:
    """Return the probability that a request must wait in M/M/c (Erlang, 1917).

    Parameters
    ----------
    workers : int
        c, the requests that are served at once.
    load : float
        Share of the time that a worker is busy, below 1.
    """
    _check_load(load)
    offered = workers * load
    blocked = 1.0  # Erlang B by its recursion, which does not overflow
    for busy in range(1, workers + 1):
        blocked = offered * blocked / (busy + offered * blocked)
    return blocked / (1 - load * (1 - blocked))


def mmc_time(workers: int, load: float, service_s: float = 1.0) -> float:
    """Return the mean time from arrival to answer in M/M/c, in seconds; M/M/1 for one worker."""
    return service_s * (1 + erlang_c(workers, load) / (workers * (1 - load)))


def mmc_wait_quantile(workers: int, load: float, q: float, service_s: float = 1.0) -> float:
    """Return the ``q`` quantile of the waiting time in M/M/c, in seconds."""
    waits = erlang_c(workers, load)
    rate = workers * (1 - load) / service_s
    return max(np.log(waits / (1 - q)) / rate, 0.0)


def power_of_choices_time(choices: int, load: float, service_s: float = 1.0) -> float:
    """Return the mean time in a system of many M/M/1 servers that picks the shortest of d queues.

    The sum over i >= 1 of ``load ** ((d ** i - d) / (d - 1))`` (Mitzenmacher, 2001); for one
    choice, M/M/1's ``1 / (1 - load)``.
    """
    _check_load(load)
    if choices == 1:
        return service_s / (1 - load)
    powers = float(choices) ** np.arange(1, 64)
    with np.errstate(under="ignore"):
        return float(service_s * (load ** ((powers - choices) / (choices - 1))).sum())


def che_characteristic_time(shares, size: int) -> float:
    """Return Che's time, in requests: how long an item stays in an LRU cache without a hit.

    Parameters
    ----------
    shares : array, shape (n,)
        Of all requests, by key; they add up to 1.
    size : int
        Keys the cache holds, fewer than n.
    """
    shares = np.asarray(shares, dtype=np.float64)
    if not 0 < size < len(shares):
        raise RecsysError(f"A cache of size {size} must hold 1 to {len(shares) - 1} of the keys.")
    upper = float(size)
    while -np.expm1(-shares * upper).sum() < size:
        upper *= 2
    return brentq(lambda time: -np.expm1(-shares * time).sum() - size, 0.0, upper)


def lru_hit_rate(shares, size: int) -> float:
    """Return the hit rate of an LRU cache by Che's approximation (Che, Tung and Wang, 2002)."""
    shares = np.asarray(shares, dtype=np.float64)
    if size >= len(shares):
        return 1.0
    return float(shares @ -np.expm1(-shares * che_characteristic_time(shares, size)))


def lru_size_for(shares, rate: float) -> int:
    """Return the smallest LRU cache whose hit rate reaches ``rate``, by Che's approximation."""
    if not 0 < rate < 1:
        raise RecsysError(f"A hit rate of {rate} can't be asked for; it lies between 0 and 1.")
    return 1 + bisect_left(
        range(1, len(shares) + 1), rate, key=lambda size: lru_hit_rate(shares, size)
    )


def ttl_hit_rate(shares, rate: float, ttl_s: float) -> float:
    """Return the hit rate of a cache without bound whose entries expire.

    A key asked ``r`` times a second has ``r * ttl_s`` hits between two misses: exact for Poisson
    requests (Jung, Berger and Balakrishnan, 2003).

    Parameters
    ----------
    shares : array, shape (n,)
    rate : float
        Requests a second, of all keys.
    ttl_s : float
    """
    hits = np.asarray(shares, dtype=np.float64) * rate * ttl_s
    return float(np.asarray(shares) @ (hits / (1 + hits)))


def _check_load(load: float) -> None:
    if not 0 <= load < 1:
        raise RecsysError(f"The load is {load}; queues are stable from 0 to below 1.")
