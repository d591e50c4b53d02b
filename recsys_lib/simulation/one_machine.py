"""Server processes that share the cores of one machine.

Servers on machines of their own work independently; that is what
:func:`recsys_lib.simulation.simulate` assumes. On one machine a service time depends on what the
others do meanwhile. Here a process shares one core among its requests, and the processes share the
cores (processor sharing; Kleinrock, Queueing Systems II, 1976, chapter 4).
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.seeding import generator
from recsys_lib.serving.balancing import Balancer, Server
from recsys_lib.simulation.service_times import ServiceTime
from recsys_lib.simulation.workload import Requests


@dataclass(frozen=True, kw_only=True)
class OneMachine:
    """Servers, each a process, and one more process in front of them.

    Attributes
    ----------
    service : ServiceTime
        What a server computes for a request that has the machine to itself.
    front_s : float
        Seconds that client and balancer compute for a request, half of them before the server.
    cores : int
    slowdown : float
        How many times longer work takes while several processes compute: they share caches and
        memory.
    """

    service: ServiceTime
    front_s: float = 0.0
    cores: int = 2
    slowdown: float = 1.0

    def __post_init__(self):
        if self.front_s < 0 or self.cores < 1 or self.slowdown < 1:
            raise RecsysError(
                "A machine needs front_s of 0 s or more, a core, and a slowdown of 1 or more; "
                f"given were {self.front_s}, {self.cores} and {self.slowdown}."
            )


def simulate_one_machine(
    machine: OneMachine, balancer: Balancer, requests: Requests, *, seed: int
) -> np.ndarray:
    """Send a trace of requests through the servers of one machine.

    Parameters
    ----------
    machine : OneMachine
    balancer : Balancer
        With its servers, whose names do not matter.
    requests : Requests
    seed : int
        Of the service times.

    Returns
    -------
    float64 array, shape (n,)
        Seconds from the arrival of each request to its answer.
    """
    front, now, latency_s = _Process(), 0.0, np.empty(len(requests))
    servers = {server.name: _Process() for server in balancer.servers}
    processes = [front, *servers.values()]
    service = machine.service.stream(generator(seed, "service"))
    chosen: dict[int, Server] = {}  # which server has a request

    def run_until(end: float) -> None:
        """Let the processes compute, and hand on what they finish."""
        nonlocal now
        while True:
            computing = [process for process in processes if process.requests]
            share = min(1.0, machine.cores / max(len(computing), 1))
            speed = share / machine.slowdown if len(computing) > 1 else share
            due = min(computing, key=lambda process: process.left(speed), default=None)
            done_at = now + due.left(speed) if due else inf
            for process in computing:
                process.compute((min(done_at, end) - now) * speed)
            now = min(done_at, end)
            if done_at > end or due is None:
                return
            hand_on(due, due.finish())

    def hand_on(process: _Process, request: int) -> None:
        if process is not front:
            balancer.release(chosen[request])
            front.start(request, machine.front_s / 2)
        elif request in chosen:
            del chosen[request]
            latency_s[request] = now - requests.times_s[request]
        else:
            chosen[request] = balancer.acquire(int(requests.users[request]))
            servers[chosen[request].name].start(request, next(service))

    for request, at_s in enumerate(requests.times_s.tolist()):
        run_until(at_s)
        front.start(request, machine.front_s / 2)
    run_until(inf)
    return latency_s


class _Process:
    """Shares its core alike among its requests.

    Its clock counts the work done for each of them, so that a request is finished when the clock
    reaches what it read at the start plus the work of the request, whoever comes meanwhile.
    """

    def __init__(self):
        self.clock = 0.0
        self.requests: list[tuple[float, int]] = []  # (clock at the end, request): a heap

    def start(self, request: int, work_s: float) -> None:
        heappush(self.requests, (self.clock + work_s, request))

    def left(self, speed: float) -> float:
        """Return the seconds until it finishes a request, if none comes."""
        return (self.requests[0][0] - self.clock) * len(self.requests) / speed

    def compute(self, work_s: float) -> None:
        self.clock += work_s / len(self.requests)

    def finish(self) -> int:
        self.clock, request = heappop(self.requests)  # exact, without what rounding has left
        return request
