"""A circuit breaker (熔断器): a dependency that fails is left alone for a while, then tried again.

The packaged breakers open after a number of failures in a row and read the system's clock. This
one opens at a rate of failures, so that a dependency which fails every second call is noticed, and
its clock is passed in. Names and defaults are those of resilience4j.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal


class CircuitBreaker:
    """Closed: calls pass. Open: none does. Half open: a few trial calls decide.

    Parameters
    ----------
    failure_rate : float
        Share of failed calls at which it opens.
    window : int
        Calls over which the rate is taken.
    min_calls : int
        Calls before the rate counts.
    open_s : float
        Seconds until trial calls are let through.
    trials : int
        Trial calls; it closes if fewer than ``failure_rate`` of them fail.
    clock : function
        Returns the time in seconds.

    Attributes
    ----------
    state : {"closed", "open", "half_open"}
    """

    def __init__(
        self,
        *,
        failure_rate: float = 0.5,
        window: int = 100,
        min_calls: int = 100,
        open_s: float = 60.0,
        trials: int = 10,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.failure_rate = failure_rate
        self.window = window
        self.min_calls = min_calls
        self.open_s = open_s
        self.trials = trials
        self.clock = clock
        self._lock = threading.Lock()
        self._enter("closed")

    def allows(self) -> bool:
        """Return whether a call may be made now; one that was allowed must be recorded."""
        with self._lock:
            if self.state == "closed":
                return True
            # Trial calls that were never recorded must not keep it half open for ever.
            if self.clock() - self._since >= self.open_s and (
                self.state == "open" or self._permits == 0
            ):
                self._enter("half_open")
            if self._permits == 0:
                return False
            self._permits -= 1
            return True

    def record(self, ok: bool) -> None:
        """Take note of how an allowed call ended."""
        with self._lock:
            if self.state == "open":
                return  # a call from before it opened
            self._failures += not ok
            self._outcomes.append(not ok)
            if self.state == "half_open":
                if len(self._outcomes) >= self.trials:
                    self._enter("open" if self._failing() else "closed")
                return
            if len(self._outcomes) > self.window:
                self._failures -= self._outcomes.popleft()
            if len(self._outcomes) >= self.min_calls and self._failing():
                self._enter("open")

    def _failing(self) -> bool:
        return self._failures >= self.failure_rate * len(self._outcomes)

    def _enter(self, state: Literal["closed", "open", "half_open"]) -> None:
        self.state = state
        self._since = self.clock()
        self._permits = self.trials if state == "half_open" else 0
        self._outcomes: deque[bool] = deque()  # True for a failure
        self._failures = 0
