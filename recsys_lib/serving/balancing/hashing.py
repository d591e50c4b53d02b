"""Hashing without a ring: by the remainder (哈希), and rendezvous hashing."""

import numpy as np

from recsys_lib.seeding import mix64
from recsys_lib.serving.balancing.base import KeyedBalancer, key_position


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
    does, but looks at all servers. With weights, the score is ``-weight / log(uniform)`` (Resch
    and Volvovski, 2015), and a server gets its share of the weights.
    """

    def _prepare(self, servers):
        self._open = servers
        self._hashes = np.array([key_position(server.name) for server in servers], np.uint64)
        self._weights = np.array([server.weight for server in servers])
        self._alike = len(set(self._weights)) <= 1  # then the formula keeps the order of hashes

    def _choose_at(self, position, avoid):
        if not self._open:
            return None
        scores = mix64(self._hashes ^ np.uint64(position))
        if not self._alike:
            uniform = ((scores >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
            scores = -self._weights / np.log(uniform)
        if not avoid:
            return self._open[scores.argmax()]
        for place in np.argsort(scores)[::-1]:
            if self._open[place].name not in avoid:
                return self._open[place]
        return None
