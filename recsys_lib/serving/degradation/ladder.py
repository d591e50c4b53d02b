"""The ladder: each request is answered at the best level that deadline, errors and queue allow."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys_lib.errors import RecsysError
from recsys_lib.serving.degradation.breaker import CircuitBreaker


class Overloaded(RecsysError):
    """No level can take the request: it is shed, with status 503."""


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One level.

    Attributes
    ----------
    name : str
        Such as ``full``, ``light``, ``stored``, ``segment``, ``popular``.
    budget_s : float
        Seconds an answer of this level may take. The level is skipped when less is left until the
        deadline, and an answer that took longer counts as a failure.
    max_queue : float
        The longest queue, in requests, at which the level is still used.
    """

    name: str
    budget_s: float
    max_queue: float = math.inf


@dataclass(frozen=True)
class Answered:
    """An answer and the level it was made at.

    Attributes
    ----------
    level : str
    value : object
    errors : dict of str to Exception
        What went wrong at the levels above, by name.
    """

    level: str
    value: Any
    errors: dict[str, Exception]


class Ladder:
    """Chooses levels, each behind a circuit breaker of its own.

    The queue and the deadline decide request by request, so that a peak is met at once and is
    over at once. The breakers remember: a level that fails or is too slow is left out, and comes
    back by their trial calls.

    Parameters
    ----------
    rungs : sequence of Rung
        Best first. The last is the one that always works: no breaker guards it.
    breaker : function
        Makes the breaker of a level.
    clock : function
        Returns the time in seconds.

    Attributes
    ----------
    breakers : dict of str to CircuitBreaker
    """

    def __init__(
        self,
        rungs: Sequence[Rung],
        *,
        breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.rungs = tuple(rungs)
        self.clock = clock
        self.breakers = {rung.name: breaker() for rung in self.rungs[:-1]}
        if len({rung.name for rung in self.rungs}) < len(self.rungs) or not self.rungs:
            raise RecsysError(
                f"A ladder needs rungs of different names, not {[r.name for r in self.rungs]}."
            )

    def choose(
        self, remaining_s: float = math.inf, queue_length: int = 0, below: str | None = None
    ) -> Rung | None:
        """Return the level of a request, or None if it is to be shed.

        Parameters
        ----------
        remaining_s : float
            Seconds until the deadline.
        queue_length : int
            Requests that wait.
        below : str, optional
            Only levels below this one, which has just failed.
        """
        start = 0 if below is None else 1 + [rung.name for rung in self.rungs].index(below)
        last = self.rungs[-1]
        for rung in self.rungs[start:]:
            if queue_length > rung.max_queue:
                continue
            # The last level is cheap: it is tried however little time is left.
            if rung is last:
                return rung
            if rung.budget_s <= remaining_s and self.breakers[rung.name].allows():
                return rung
        return None

    def record(self, rung: Rung, duration_s: float, ok: bool = True) -> None:
        """Take note of how a level did; a slow answer is a failed one."""
        if rung.name in self.breakers:
            self.breakers[rung.name].record(ok and duration_s <= rung.budget_s)

    def answer(
        self,
        makers: Mapping[str, Callable[[], Any]],
        remaining_s: float = math.inf,
        queue_length: int = 0,
    ) -> Answered:
        """Answer at the best level that works, going down where one raises.

        Parameters
        ----------
        makers : mapping of str to function
            How each level makes its answer.
        remaining_s, queue_length
            As for :meth:`choose`.

        Raises
        ------
        Overloaded
            The request is to be shed, or even the last level failed.
        """
        errors: dict[str, Exception] = {}
        deadline = self.clock() + remaining_s
        rung = self.choose(remaining_s, queue_length)
        while rung is not None:
            started = self.clock()
            try:
                value = makers[rung.name]()
            except Exception as error:  # whatever it is, a level below may still answer
                errors[rung.name] = error
                self.record(rung, self.clock() - started, ok=False)
                rung = self.choose(deadline - self.clock(), queue_length, below=rung.name)
            else:
                self.record(rung, self.clock() - started)
                return Answered(rung.name, value, errors)
        failed = "; ".join(f"{name}: {error!r}" for name, error in errors.items())
        raise Overloaded(
            f"No level can answer ({failed})."
            if failed
            else f"{queue_length} requests wait, more than any level takes. Try again later."
        )
