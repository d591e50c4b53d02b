"""What is simulated: servers, caches, levels of degradation, and what goes wrong when."""

from dataclasses import dataclass, field
from typing import Literal

from recsys_lib.errors import RecsysError
from recsys_lib.serving.degradation import Rung
from recsys_lib.simulation.service_times import Constant, ServiceTime


@dataclass(frozen=True, kw_only=True)
class ServerSpec:
    """One server.

    Attributes
    ----------
    name : str
    strength : float
        Its speed: service times are divided by it. It is also its weight for the balancer.
    workers : int
        Requests it works on at once; the others wait in one queue, first come, first served.
    cache_size : int
        Users whose list it keeps in its own memory.
    """

    name: str
    strength: float = 1.0
    workers: int = 1
    cache_size: int = 0


@dataclass(frozen=True, kw_only=True)
class Level:
    """A level of degradation: the rung of the ladder and how long an answer takes."""

    rung: Rung
    service: ServiceTime


@dataclass(frozen=True, kw_only=True)
class Redis:
    """The cache that all servers share.

    Attributes
    ----------
    size : int
        Users whose list it keeps.
    lookup : ServiceTime
    down : tuple of (float, float), optional
        Seconds from and until which it does not answer.
    timeout_s : float
        How long a server waits for it then.
    """

    size: int
    lookup: ServiceTime = field(default_factory=lambda: Constant(0.0005))
    down: tuple[float, float] | None = None
    timeout_s: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that happens to a server.

    ``crash``: it is gone, with its cache and the requests it held; the balancer notices after a
    while. ``recover``: it is back, empty. ``drain``, ``leave``, ``join``: the balancer is asked to.
    """

    at_s: float
    what: Literal["crash", "recover", "drain", "leave", "join"]
    server: str


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster behind one balancer.

    Attributes
    ----------
    servers : tuple of ServerSpec
    levels : tuple of Level
        Best first. One level with an unbounded queue is a service without degradation.
    ttl_s : float
        Seconds that a cached list lives.
    hit : ServiceTime
        An answer from a server's own cache.
    redis : Redis, optional
    deadline_s : float
        Seconds from its arrival after which nobody waits for a request any more. A server drops
        such a request; with no deadline it works on it all the same.
    changes : tuple of Change
    detection_s : float
        From a crash until the balancer notices.
    retries : int
        Attempts after the first, each at another server.
    retry_ratio : float
        Budget: retries by requests.
    """

    servers: tuple[ServerSpec, ...]
    levels: tuple[Level, ...]
    ttl_s: float = float("inf")
    hit: ServiceTime = field(default_factory=lambda: Constant(0.0002))
    redis: Redis | None = None
    deadline_s: float = float("inf")
    changes: tuple[Change, ...] = ()
    detection_s: float = 1.0
    retries: int = 2
    retry_ratio: float = 0.1

    def __post_init__(self):
        names = {server.name for server in self.servers}
        unknown = {change.server for change in self.changes} - names
        if len(names) < len(self.servers) or unknown or not self.levels:
            raise RecsysError(
                f"A cluster needs servers of different names and a level; {len(names)} names for "
                f"{len(self.servers)} servers, {len(self.levels)} levels, changes of unknown "
                f"servers: {sorted(unknown) or 'none'}."
            )

    def weights(self) -> dict[str, float]:
        """Return the strength of each server, for a balancer."""
        return {server.name: server.strength for server in self.servers}


def servers(
    count: int, *, strengths=(1.0,), workers: int = 1, cache_size: int = 0
) -> tuple[ServerSpec, ...]:
    """Return ``count`` servers whose strengths repeat in turn."""
    return tuple(
        ServerSpec(
            name=f"server-{number}",
            strength=strengths[number % len(strengths)],
            workers=workers,
            cache_size=cache_size,
        )
        for number in range(count)
    )


def without_degradation(service: ServiceTime) -> tuple[Level, ...]:
    """Return the one level of a service that always does its best."""
    return (Level(rung=Rung(name="full", budget_s=float("inf")), service=service),)
