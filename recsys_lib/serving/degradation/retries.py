"""Retries that can't make an overload worse: a budget bounds their share of all requests."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class RetryBudget:
    """A token bucket: every request pays in ``ratio``, every retry takes 1 (as in Finagle).

    Where everything fails, retries add at most ``ratio`` to the load, and not a factor for every
    layer that retries.

    Parameters
    ----------
    ratio : float
        Retries by requests in the long run.
    reserve : float
        Retries at hand at the start, and the most that are saved up.
    """

    def __init__(self, *, ratio: float = 0.1, reserve: float = 10.0):
        self.ratio = ratio
        self.reserve = reserve
        self._tokens = reserve

    def request(self) -> None:
        """Count a request, not a retry."""
        self._tokens = min(self._tokens + self.ratio, self.reserve)

    def allows_retry(self) -> bool:
        """Take a retry from the budget; False if none is left."""
        if self._tokens < 1 - 1e-9:  # ten tenths make a retry
            return False
        self._tokens -= 1
        return True


def backoff_s(
    attempt: int, rng: random.Random, *, base_s: float = 0.05, longest_s: float = 2.0
) -> float:
    """Return the seconds to wait before retry ``attempt`` (from 0): "full jitter".

    Uniform between 0 and ``base_s * 2 ** attempt``, so that clients which failed together do not
    come back together.
    """
    return rng.uniform(0.0, min(base_s * 2.0**attempt, longest_s))


def call_with_retries(
    work: Callable[[], Result],
    budget: RetryBudget,
    *,
    attempts: int = 3,
    retry_on: tuple[type[Exception], ...] = (ConnectionError, TimeoutError),
    rng: random.Random,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Call ``work`` up to ``attempts`` times, as long as the budget lasts.

    Raises
    ------
    Exception
        Of the last attempt; errors other than ``retry_on`` at once.
    """
    budget.request()
    attempt = 0
    while True:
        try:
            return work()
        except retry_on:
            attempt += 1
            if attempt >= attempts or not budget.allows_retry():
                raise
        sleep(backoff_s(attempt - 1, rng))
