"""Hashing without a ring: by the remainder (哈希), and rendezvous hashing."""

import numpy as np

from recsys_lib.seeding import mix64
from recsys_lib.serving.balancing.base import KeyedBalancer, key_position

_REMEMBERED = 2**17  # choices of rendezvous hashing that are kept


class HashByKey(KeyedBalancer):
    """The hash of the key modulo the number of servers.

    One user's requests meet one server, and its cache. When a server joins or leaves, the
    remainder of nearly every key changes. Weights are ignored.
    """

    def _prepare(self, servers):
        self._open = servers

    def _choose_at(self, position, avoid):
        servers = self._open
        if avoid:
            servers = [server for server in servers if server.name not in avoid]
        return servers[position % len(servers)] if servers else None


class Rendezvous(KeyedBalancer):
    """The server with the highest score for the key (Thaler and Ravishankar, 1998).

    Every pair of key and server has a random score; where a server leaves, its keys go to their
    second best, and no other key moves. It needs no ring and spreads the keys as evenly as chance
    does, but looks at all servers, so the choices of keys are remembered until a server joins or
    leaves. With weights, the score is ``-weight / log(uniform)`` (Resch
    and Volvovski, 2015), and a server gets its share of the weights.
    """

    def _prepare(self, servers):
        self._open = servers
        self._hashes = np.array([key_position(server.name) for server in servers], np.uint64)
        self._weights = np.array([server.weight for server in servers])
        self._best = {}
        self._alike = len(set(self._weights)) <= 1  # then the formula keeps the order of hashes

    def _choose_at(self, position, avoid):
        if avoid:
            ranked = (self._open[place] for place in np.argsort(self._scores(position))[::-1])
            return next((server for server in ranked if server.name not in avoid), None)
        best = self._best.get(position)
        if best is None and self._open:
            if len(self._best) >= _REMEMBERED:
                self._best.clear()
            best = self._best[position] = self._open[self._scores(position).argmax()]
        return best

    def _scores(self, position: int) -> np.ndarray:
        """Return the score of each open server for a key: the highest wins."""
        scores = mix64(self._hashes ^ np.uint64(position))
        if self._alike:
            return scores
        uniform = ((scores >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
        return -self._weights / np.log(uniform)
