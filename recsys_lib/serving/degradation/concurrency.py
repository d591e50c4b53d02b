"""Adaptive concurrency: how many requests at once, found from the latency alone (Gradient2)."""

import threading
import time
from collections.abc import Callable


class AdaptiveLimit:
    """The limit of concurrent requests of Netflix' concurrency-limits, algorithm Gradient2.

    Where latency grows beyond its long-term mean, requests wait somewhere: the limit shrinks with
    the ratio. Where it does not, the limit grows by ``queue``. With defaults of the original::

        gradient = clamp(tolerance * long / short, 0.5, 1)
        limit    = (1 - smoothing) * limit + smoothing * (gradient * limit + queue)

    Parameters
    ----------
    initial, lowest, highest : float
        Limits, in requests.
    tolerance : float
        Growth of latency that is let pass.
    queue : float
        Requests that may wait.
    smoothing : float
        Weight of a new limit.
    long_window : int
        Samples of the long-term mean.
    window : int
        Requests, at least, whose mean latency is one sample.
    window_s : float
        Seconds, at least, that a sample takes. The long-term mean follows the short one: with the
        defaults an overload of ten minutes becomes the new normal, and ``highest`` is what holds.
    clock : function
        Returns the time in seconds.

    Attributes
    ----------
    limit : float
    active : int
        Requests that are admitted and not ended.
    """

    def __init__(
        self,
        *,
        initial: float = 20.0,
        lowest: float = 20.0,
        highest: float = 200.0,
        tolerance: float = 1.5,
        queue: float = 4.0,
        smoothing: float = 0.2,
        long_window: int = 600,
        window: int = 10,
        window_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.initial = initial
        self.lowest = lowest
        self.highest = highest
        self.tolerance = tolerance
        self.queue = queue
        self.smoothing = smoothing
        self.long_window = long_window
        self.window = window
        self.window_s = window_s
        self.clock = clock
        self.limit = initial
        self.active = 0
        self._long_s: float | None = None
        self._samples = 0
        self._sum_s = 0.0
        self._count = 0
        self._most_active = 0
        self._since_s = clock()
        self._lock = threading.Lock()

    def admit(self) -> float | None:
        """Return the time of admission, to be handed to :meth:`end`; None if there is no room."""
        with self._lock:
            if self.active >= int(self.limit):
                return None
            self.active += 1
            self._most_active = max(self._most_active, self.active)
            return self.clock()

    def end(self, admitted_at: float) -> None:
        """End a request that was admitted, and learn from how long it took."""
        with self._lock:
            now_s = self.clock()
            self.active -= 1
            self._sum_s += now_s - admitted_at
            self._count += 1
            if self._count >= self.window and now_s - self._since_s >= self.window_s:
                self._update(self._sum_s / self._count, self._most_active)
                self._sum_s, self._count, self._most_active = 0.0, 0, self.active
                self._since_s = now_s

    def _update(self, short_s: float, active: int) -> None:
        """Move the limit by one sample of latency."""
        self._samples += 1
        # A plain mean at first, then an exponential one.
        weight = 1 / self._samples if self._samples <= 10 else 2 / (self.long_window + 1)
        before = short_s if self._long_s is None else self._long_s
        self._long_s = (1 - weight) * before + weight * short_s
        gradient = max(0.5, min(1.0, self.tolerance * self._long_s / max(short_s, 1e-9)))
        if self._long_s > 2 * short_s:
            self._long_s *= 0.95  # the long mean comes down faster after an overload
        if active < self.limit / 2:
            return  # too few requests to learn whether more would fit
        target = gradient * self.limit + self.queue
        limit = (1 - self.smoothing) * self.limit + self.smoothing * target
        self.limit = min(max(limit, self.lowest), self.highest)
