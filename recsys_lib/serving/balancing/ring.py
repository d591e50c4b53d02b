"""Consistent hashing (一致性哈希): a ring with virtual nodes, without and with bounded loads."""

from bisect import bisect_right
from hashlib import md5
from itertools import chain
from math import ceil

import numpy as np

from recsys_lib.serving.balancing.base import KeyedBalancer

_RING = 0xFFFFFFFF  # positions are 32-bit numbers
_BYTES = 4  # of a position: an MD5 digest holds four


class ConsistentHash(KeyedBalancer):
    """A ring of points; a key belongs to the server of the next point (Karger, 1997).

    When a server leaves, only its keys move, each to the next point of another server. The points
    are those of ketama: four to an MD5 digest of ``"<name>-<number>"``.

    Parameters
    ----------
    points : int
        Points on the ring of a server of weight 1 (virtual nodes, 虚拟节点). More points even out
        the shares: their relative spread is about ``points ** -0.5``.
    """

    def __init__(self, *, points: int = 160):
        super().__init__()
        self.points = points

    def _prepare(self, servers):
        ring = sorted(
            (position, server.name, server)
            for server in servers
            for position in _positions(server.name, max(round(self.points * server.weight), 1))
        )
        self._positions = [position for position, _, _ in ring]
        self._owners = [server for _, _, server in ring]

    def shares(self) -> dict[str, float]:
        """Return the part of the ring, and so of all possible keys, that each open server owns."""
        if not self._servers:
            return {}
        self.pick(0)  # lays the points out anew if a server has come or gone
        widths = np.diff(self._positions, prepend=self._positions[-1] - _RING - 1)
        owned = dict.fromkeys((owner.name for owner in self._owners), 0.0)
        for owner, width in zip(self._owners, widths.tolist(), strict=True):
            owned[owner.name] += width / (_RING + 1)
        return owned

    def _choose_at(self, position, avoid):
        if not self._owners:
            return None
        start = bisect_right(self._positions, position & _RING) % len(self._owners)
        if not avoid:
            return self._owners[start]
        return next((s for s in self._onwards(start) if s.name not in avoid), None)

    def _onwards(self, start):
        """Yield the owners once round the ring, from a place of it."""
        places = chain(range(start, len(self._owners)), range(start))
        return (self._owners[place] for place in places)


class BoundedLoadHash(ConsistentHash):
    """Consistent hashing in which no server holds much more than its share (Mirrokni, 2016).

    A key whose server is full goes to the next one on the ring with room. A server is full at
    ``ceil(bound * m * weight / sum of weights)``, with m the requests that all of them hold, the
    new one included.

    Parameters
    ----------
    points : int
        Points on the ring of a server of weight 1.
    bound : float
        Above 1. Near 1 the load is even, and many keys leave their server; 1.25 is usual.
    """

    def __init__(self, *, points: int = 160, bound: float = 1.25):
        super().__init__(points=points)
        self.bound = bound

    def _prepare(self, servers):
        super()._prepare(servers)
        self._active = sum(server.active for server in servers)
        self._weight = sum(server.weight for server in servers)

    def _choose_at(self, position, avoid):
        first = super()._choose_at(position, avoid)
        share = self.bound * (self._active + 1) / self._weight if first else 0.0
        if first is None or first.active < ceil(share * first.weight):
            return first
        start = bisect_right(self._positions, position & _RING) % len(self._owners)
        for server in self._onwards(start):
            if server.active < ceil(share * server.weight) and server.name not in avoid:
                return server
        return first  # only servers to avoid have room

    def _loaded(self, server, change):
        self._active += change


def _positions(name: str, count: int) -> list[int]:
    """Return the positions of a server's points: ketama's first ``count``."""
    digests = b"".join(
        md5(f"{name}-{number}".encode(), usedforsecurity=False).digest()
        for number in range(ceil(count / _BYTES))
    )
    starts = range(0, _BYTES * count, _BYTES)
    return [int.from_bytes(digests[start : start + _BYTES], "little") for start in starts]
