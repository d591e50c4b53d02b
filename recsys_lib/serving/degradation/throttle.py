"""Adaptive throttling: a client that is refused a lot refuses by itself (Google's SRE book)."""

import random
import time
from collections import deque
from collections.abc import Callable

from recsys_lib.seeding import DEFAULT_SEED


class AdaptiveThrottle:
    """Rejects locally with probability ``max(0, (requests - k * accepts) / (requests + 1))``.

    Refusing costs a server work too. With this rule the server sees about ``k`` times what it
    accepts, whatever is offered.

    Parameters
    ----------
    k : float
        Above 1: the higher, the more is sent, and the sooner a recovery is noticed.
    window_s : float
        Seconds over which requests and accepts are counted.
    clock : function
        Returns the time in seconds.
    seed : int
    """

    def __init__(
        self,
        *,
        k: float = 2.0,
        window_s: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
        seed: int = DEFAULT_SEED,
    ):
        self.k = k
        self.window_s = window_s
        self.clock = clock
        self.seed = seed
        self._random = random.Random(seed)
        self._buckets: deque[list[float]] = deque()  # [start, requests, accepts]
        self._requests = 0
        self._accepts = 0

    def allows(self) -> bool:
        """Count a request and return whether to send it."""
        bucket = self._bucket()
        reject = (self._requests - self.k * self._accepts) / (self._requests + 1)
        bucket[1] += 1
        self._requests += 1
        return self._random.random() >= reject

    def accepted(self) -> None:
        """Count a request that the server took."""
        self._bucket()[2] += 1
        self._accepts += 1

    def _bucket(self) -> list[float]:
        """Return the counts of this moment; those out of the window are dropped."""
        now = self.clock()
        while self._buckets and self._buckets[0][0] <= now - self.window_s:
            _, requests, accepts = self._buckets.popleft()
            self._requests -= requests
            self._accepts -= accepts
        if not self._buckets or now - self._buckets[-1][0] >= self.window_s / 100:
            self._buckets.append([now, 0, 0])
        return self._buckets[-1]
