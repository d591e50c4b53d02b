"""What all balancing policies share: servers that come and go, and the requests they hold."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Container, Hashable
from functools import lru_cache

from recsys_lib.errors import RecsysError


class NoServer(RecsysError):
    """No server can take the request."""


class Server:
    """One server, as its balancer sees it.

    Attributes
    ----------
    name : str
    weight : float
        Its strength relative to the others.
    active : int
        Requests it holds now.
    open : bool
        Whether it gets new requests.
    """

    __slots__ = ("active", "name", "open", "tick", "weight")

    def __init__(self, name: str, weight: float):
        self.name = name
        self.weight = weight
        self.active = 0
        self.open = True
        self.tick = 0  # of the last change of its load, for policies that order servers by it

    def __repr__(self) -> str:
        return f"Server({self.name!r}, weight={self.weight}, active={self.active})"

    @property
    def load(self) -> float:
        """What it would hold with one request more, by its weight."""
        return (self.active + 1) / self.weight


@lru_cache(2**16, typed=True)  # most requests are of few users; typed, because 1 == 1.0 == True
def key_position(key: Hashable) -> int:
    """Hash a key to 64 bits; the same in every process, unlike Python's ``hash``.

    The low 32 bits are the place that ketama, the usual consistent hash ring, gives the key.
    """
    digest = hashlib.md5(str(key).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little")


class Balancer(ABC):
    """Chooses a server for each request.

    ``acquire`` chooses a server and counts the request, ``release`` ends it. A balancer is used
    from one thread: the event loop of a proxy, or a simulation.
    """

    def __init__(self):
        self._servers: dict[str, Server] = {}
        self._changed = True

    @property
    def servers(self) -> tuple[Server, ...]:
        """All servers that have joined and not left, draining ones included."""
        return tuple(self._servers.values())

    def join(self, name: str, weight: float = 1.0) -> Server:
        """Add a server, or open one again that was draining.

        Raises
        ------
        RecsysError
            The weight is not positive.
        """
        if not weight > 0:
            raise RecsysError(f"The weight of server {name!r} is {weight}; it must be above 0.")
        server = self._servers.setdefault(name, Server(name, weight))
        server.weight = weight
        server.open = True
        self._changed = True
        return server

    def drain(self, name: str) -> Server:
        """Send a server nothing new. It may be stopped when its ``active`` is 0."""
        server = self._known(name)
        server.open = False
        self._changed = True
        return server

    def leave(self, name: str) -> None:
        """Remove a server, as after a crash. One that joins again under its name starts anew."""
        self._known(name).open = False
        del self._servers[name]
        self._changed = True

    def pick(self, key: Hashable = None, avoid: Container[str] = ()) -> Server:
        """Choose a server without counting the request.

        Parameters
        ----------
        key : int or str, optional
            Whose request it is. The hashing policies need it, the others ignore it.
        avoid : names
            Servers that are not to be chosen: a retry avoids the ones that failed.

        Raises
        ------
        NoServer
            No open server is left.
        """
        if self._changed:
            self._prepare([server for server in self._servers.values() if server.open])
            self._changed = False
        server = self._choose(key, avoid)
        if server is None:
            raise NoServer(
                f"None of the {len(self._servers)} servers can take the request: "
                f"{sum(s.open for s in self.servers)} are open, some of these were tried already."
            )
        return server

    def acquire(self, key: Hashable = None, avoid: Container[str] = ()) -> Server:
        """Choose a server, as :meth:`pick` does, and count the request as one it holds."""
        server = self.pick(key, avoid)
        server.active += 1
        self._loaded(server, 1)
        return server

    def release(self, server: Server) -> None:
        """End a request of :meth:`acquire`, whether it was answered or not."""
        server.active -= 1
        if server.open:
            self._loaded(server, -1)

    def _known(self, name: str) -> Server:
        if name not in self._servers:
            known = ", ".join(map(str, self._servers)) or "none"
            raise RecsysError(f"There is no server {name!r}. Servers here: {known}.")
        return self._servers[name]

    @abstractmethod
    def _prepare(self, servers: list[Server]) -> None:
        """Take note of the open servers; called before the first choice after a change."""

    @abstractmethod
    def _choose(self, key: Hashable, avoid: Container[str]) -> Server | None:
        """Return a server, or None if there is none."""

    def _loaded(self, server: Server, change: int) -> None:  # noqa: B027 (most need no news)
        """Take note of a change of an open server's ``active``."""


class KeyedBalancer(Balancer):
    """A policy whose choice depends on the key of the request."""

    def _choose(self, key: Hashable, avoid: Container[str]) -> Server | None:
        if key is None:
            raise RecsysError(f"{type(self).__name__} needs the key of a request, as a user's id.")
        return self._choose_at(key_position(key), avoid)

    @abstractmethod
    def _choose_at(self, position: int, avoid: Container[str]) -> Server | None:
        """Return the server for the 64-bit hash of a key, or None if there is none."""
