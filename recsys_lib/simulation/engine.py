"""The discrete-event simulation (离散事件模拟): time jumps from one event to the next."""

from collections import deque
from heapq import heapify, heappop, heappush
from math import nan

import numpy as np

from recsys_lib.seeding import generator
from recsys_lib.serving.balancing import Balancer, NoServer, Server
from recsys_lib.serving.degradation import CircuitBreaker, Ladder, RetryBudget
from recsys_lib.simulation.cluster import Cluster, ServerSpec
from recsys_lib.simulation.eviction import Lru
from recsys_lib.simulation.outcome import (
    COMPUTED,
    FAILED,
    FROM_REDIS,
    FROM_SERVER,
    SHED,
    Outcome,
)
from recsys_lib.simulation.workload import Requests


def simulate(cluster: Cluster, balancer: Balancer, requests: Requests, *, seed: int) -> Outcome:
    """Send a trace of requests through a cluster.

    The balancer and the ladder are the objects that a real service uses; only their clock is the
    simulation's.

    Parameters
    ----------
    cluster : Cluster
    balancer : Balancer
        With the cluster's servers, as ``balancer(policy, cluster.weights())`` makes one.
    requests : Requests
    seed : int
        Of the service times.
    """
    return _Simulation(cluster, balancer, requests, seed).run()


class _Node:
    """A server at work."""

    __slots__ = ("busy", "cache", "held", "life", "place", "queue", "spec", "up")

    def __init__(self, place: int, spec: ServerSpec):
        self.place = place
        self.spec = spec
        self.life = 0  # how often it crashed
        self.start_empty()

    def start_empty(self):
        self.up = True
        self.busy = 0
        self.queue: deque[tuple[int, Server]] = deque()
        self.held: dict[int, Server] = {}  # requests it works on
        self.cache = Lru(self.spec.cache_size) if self.spec.cache_size else None


class _Simulation:
    def __init__(self, cluster: Cluster, balancer: Balancer, requests: Requests, seed: int):
        self.cluster = cluster
        self.balancer = balancer
        self.requests = requests
        self.arrived = requests.times_s.tolist()
        self.users = requests.users.tolist()
        self.nodes = {spec.name: _Node(i, spec) for i, spec in enumerate(cluster.servers)}
        self.now = 0.0
        rungs = [level.rung for level in cluster.levels]
        clock = self._clock
        self.ladder = Ladder(rungs, breaker=lambda: CircuitBreaker(clock=clock), clock=clock)
        self.places = {rung.name: place for place, rung in enumerate(rungs)}
        self.full = rungs[-1].max_queue  # a longer queue takes no request
        self.work = [
            level.service.stream(generator(seed, "service", level.rung.name))
            for level in cluster.levels
        ]
        self.hits = cluster.hit.stream(generator(seed, "hit"))
        self.redis = cluster.redis and Lru(cluster.redis.size)
        self.lookups = cluster.redis and cluster.redis.lookup.stream(generator(seed, "redis"))
        self.budget = RetryBudget(ratio=cluster.retry_ratio)
        self.tried: dict[int, set[str]] = {}
        n = len(requests)
        self.latency = [nan] * n
        self.level = [FAILED] * n
        self.source = [FAILED] * n
        self.server = [-1] * n
        # (time, order, method, arguments): the order makes equal times first come, first served.
        self.events = [
            (change.at_s, order, getattr(self, change.what), (self.nodes[change.server],))
            for order, change in enumerate(cluster.changes)
        ]
        heapify(self.events)
        self.order = len(self.events)

    def _clock(self) -> float:
        return self.now

    def run(self) -> Outcome:
        """Take events in the order of time; arrivals are sorted already and need no heap."""
        events, request_budget = self.events, self.budget.request
        for request, at in enumerate(self.arrived):
            while events and events[0][0] <= at:
                self.now, _, method, arguments = heappop(events)
                method(*arguments)
            self.now = at
            request_budget()
            self.send(request)
        while events:
            self.now, _, method, arguments = heappop(events)
            method(*arguments)
        return Outcome(
            self.requests,
            np.array(self.latency),
            np.array(self.level, np.int8),
            np.array(self.source, np.int8),
            np.array(self.server, np.int32),
        )

    def later(self, delay_s: float, method, *arguments) -> None:
        self.order += 1
        heappush(self.events, (self.now + delay_s, self.order, method, arguments))

    # The path of a request.

    def send(self, request: int) -> None:
        """Let the balancer choose a server; a request that finds none has failed."""
        try:
            server = self.balancer.acquire(self.users[request], self.tried.get(request, ()))
        except NoServer:
            return
        node = self.nodes[server.name]
        self.server[request] = node.place
        if not node.up:
            self.lost(request, server)
        elif node.busy < node.spec.workers:
            self.start(node, request, server)
        elif len(node.queue) < self.full:
            node.queue.append((request, server))
        else:
            self.shed(request, server)

    def start(self, node: _Node, request: int, server: Server) -> None:
        """Begin work on a request: a cached list, or the best level that there is time for."""
        remaining_s = self.cluster.deadline_s - (self.now - self.arrived[request])
        if remaining_s <= 0:
            self.shed(request, server)
            return
        user = self.users[request]
        level, duration_s, rung = 0, 0.0, None
        if node.cache is not None and node.cache.get(user, self.now):
            source = FROM_SERVER
            duration_s = next(self.hits)
        else:
            found, duration_s = self.ask_redis(user)
            source = FROM_REDIS if found else COMPUTED
            if not found:
                rung = self.ladder.choose(remaining_s - duration_s, len(node.queue))
                if rung is None:
                    self.shed(request, server)
                    return
                level = self.places[rung.name]
                duration_s += next(self.work[level])
        duration_s /= node.spec.strength
        node.busy += 1
        node.held[request] = server
        self.later(
            duration_s,
            self.finish,
            node,
            node.life,
            request,
            server,
            source,
            level,
            rung,
            duration_s,
        )

    def ask_redis(self, user: int) -> tuple[bool, float]:
        """Return whether Redis has the user's list, and the seconds it took to ask."""
        if self.redis is None:
            return False, 0.0
        if self.redis_down():
            return False, self.cluster.redis.timeout_s
        return self.redis.get(user, self.now), next(self.lookups)

    def redis_down(self) -> bool:
        down = self.cluster.redis.down
        return down is not None and down[0] <= self.now < down[1]

    def finish(self, node, life, request, server, source, level, rung, duration_s) -> None:
        """Answer, fill the caches, go on with the next in the queue."""
        if life != node.life:
            return  # the server crashed meanwhile
        del node.held[request]
        node.busy -= 1
        self.balancer.release(server)
        self.latency[request] = self.now - self.arrived[request]
        self.level[request] = level
        self.source[request] = source
        if rung is not None:
            self.ladder.record(rung, duration_s)
        # Only lists of the best level are worth keeping.
        if level == 0 and source != FROM_SERVER:
            user, expires_s = self.users[request], self.now + self.cluster.ttl_s
            if node.cache is not None:
                node.cache.put(user, expires_s)
            if self.redis is not None and source == COMPUTED and not self.redis_down():
                self.redis.put(user, expires_s)
        while node.queue and node.busy < node.spec.workers:
            self.start(node, *node.queue.popleft())

    def shed(self, request: int, server: Server) -> None:
        """Refuse a request at once: an answer that costs nothing."""
        self.balancer.release(server)
        self.level[request] = self.source[request] = SHED

    def lost(self, request: int, server: Server) -> None:
        """Try a request elsewhere whose server is gone, if the budget allows."""
        self.balancer.release(server)
        tried = self.tried.setdefault(request, set())
        tried.add(server.name)
        if len(tried) <= self.cluster.retries and self.budget.allows_retry():
            self.send(request)

    # What happens to servers.

    def crash(self, node: _Node) -> None:
        node.up = False
        node.life += 1
        held = [*node.held.items(), *node.queue]
        node.held, node.queue = {}, deque()
        for request, server in held:
            self.lost(request, server)
        self.later(self.cluster.detection_s, self.notice, node, node.life)

    def notice(self, node: _Node, life: int) -> None:
        if not node.up and life == node.life:
            self.leave(node)

    def recover(self, node: _Node) -> None:
        node.start_empty()
        self.join(node)

    def join(self, node: _Node) -> None:
        self.balancer.join(node.spec.name, node.spec.strength)

    def drain(self, node: _Node) -> None:
        self.balancer.drain(node.spec.name)

    def leave(self, node: _Node) -> None:
        self.balancer.leave(node.spec.name)
