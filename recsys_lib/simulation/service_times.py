"""How long a server works on a request: a distribution, or times that were measured."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys_lib.errors import RecsysError

_BLOCK = 8_192


class ServiceTime(ABC):
    """A distribution of seconds."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw ``n`` times in seconds: float64, (n,)."""

    def stream(self, rng: np.random.Generator) -> Iterator[float]:
        """Draw times without end."""
        while True:
            yield from self.draw(rng, _BLOCK).tolist()


@dataclass(frozen=True)
class Constant(ServiceTime):
    """Always the same."""

    seconds: float

    def draw(self, rng, n):
        return np.full(n, self.seconds)


@dataclass(frozen=True)
class Exponential(ServiceTime):
    """Memoryless: the M of queueing theory."""

    mean_s: float

    def draw(self, rng, n):
        return rng.exponential(self.mean_s, n)


@dataclass(frozen=True)
class LogNormal(ServiceTime):
    """Skewed to the right, as latencies are.

    Attributes
    ----------
    mean_s : float
    variation : float
        Standard deviation by mean.
    """

    mean_s: float
    variation: float = 0.5

    def draw(self, rng, n):
        variance = np.log1p(self.variation**2)
        return rng.lognormal(np.log(self.mean_s) - variance / 2, np.sqrt(variance), n)


class Measured(ServiceTime):
    """Times drawn from a sample of measured ones.

    Parameters
    ----------
    sample_s : array, shape (n,)
    """

    def __init__(self, sample_s):
        self.sample_s = np.asarray(sample_s, dtype=np.float64)
        if self.sample_s.size == 0 or not (self.sample_s >= 0).all():
            raise RecsysError(
                f"Measured service times must be 0 s or more, and there must be at least one; "
                f"{self.sample_s.size} were given, the smallest {self.sample_s.min(initial=0)}."
            )

    def draw(self, rng, n):
        return rng.choice(self.sample_s, n)
