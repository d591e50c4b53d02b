"""Policies that look at the load: least connections (最少连接), power of two choices."""

from bisect import bisect
from heapq import heapify, heappop, heappush
from itertools import accumulate
from random import Random

from recsys_lib.seeding import DEFAULT_SEED
from recsys_lib.serving.balancing.base import Balancer


class LeastConnections(Balancer):
    """The server that holds the fewest requests by its weight; of equals, the longest unchanged.

    A heap of (load, tick, server) makes a choice logarithmic in the number of servers. An entry
    whose tick is not its server's own is out of date and is dropped when it comes to the top.
    """

    def __init__(self):
        super().__init__()
        self._ticks = 0

    def _prepare(self, servers):
        self._open = servers
        self._heap = [(server.load, self._tick(server), server) for server in servers]
        heapify(self._heap)

    def _choose(self, key, avoid):
        if avoid:
            rest = [server for server in self._open if server.name not in avoid]
            return min(rest, key=lambda server: (server.load, server.tick), default=None)
        heap = self._heap
        while heap and heap[0][1] != heap[0][2].tick:
            heappop(heap)
        return heap[0][2] if heap else None

    def _loaded(self, server, change):
        heappush(self._heap, (server.load, self._tick(server), server))
        if len(self._heap) > 8 * len(self._open) + 64:
            # Old entries of high load sink and would stay for ever.
            self._heap = [(s.load, s.tick, s) for s in self._open]
            heapify(self._heap)

    def _tick(self, server) -> int:
        self._ticks += 1
        server.tick = self._ticks
        return self._ticks


class PowerOfChoices(Balancer):
    """The less loaded of a few servers drawn at random (Mitzenmacher, 2001).

    Servers are drawn with replacement, in proportion to their weights.

    Parameters
    ----------
    choices : int
        Servers drawn for a request: 1 is random balancing.
    seed : int
    """

    def __init__(self, *, choices: int = 2, seed: int = DEFAULT_SEED):
        super().__init__()
        self.choices = choices
        self.seed = seed
        self._random = Random(seed).random

    def _prepare(self, servers):
        self._open = servers
        self._ends = list(accumulate(server.weight for server in servers))

    def _choose(self, key, avoid):
        servers, ends = self._open, self._ends
        if avoid:
            servers = [server for server in servers if server.name not in avoid]
            ends = list(accumulate(server.weight for server in servers))
        if not servers:
            return None
        last = len(servers) - 1
        best = None
        for _ in range(self.choices):
            server = servers[min(bisect(ends, self._random() * ends[-1]), last)]
            if best is None or server.load < best.load:
                best = server
        return best
