"""Round robin (轮询): one server after the other, as often as its weight says."""

import numpy as np

from recsys_lib.serving.balancing.base import Balancer


class RoundRobin(Balancer):
    """The servers in turn, each as often as the others; weights are ignored."""

    def _prepare(self, servers):
        self._open = servers
        self._next = 0

    def _choose(self, key, avoid):
        for _ in self._open:
            server = self._open[self._next]
            self._next = (self._next + 1) % len(self._open)
            if server.name not in avoid:
                return server
        return None


class WeightedRoundRobin(Balancer):
    """Smooth weighted round robin (加权轮询), as nginx does it.

    Each turn every server earns its weight; the richest is chosen and pays the sum of the weights.
    So a server of weight 5 gets five of seven requests beside two of weight 1, and not in a row:
    a a b a c a a. Ties go to the server that joined first.
    """

    def _prepare(self, servers):
        self._open = servers
        self._weights = np.array([server.weight for server in servers])
        self._total = self._weights.sum()
        self._earned = np.zeros(len(servers))

    def _choose(self, key, avoid):
        weights, total, earned = self._weights, self._total, self._earned
        if avoid:
            weights = weights * [server.name not in avoid for server in self._open]
            total = weights.sum()
        if not total:
            return None
        earned += weights
        best = (np.where(weights > 0, earned, -np.inf) if avoid else earned).argmax()
        earned[best] -= total
        return self._open[best]
