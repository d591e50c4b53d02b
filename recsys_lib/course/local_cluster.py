"""A cluster of real processes on this machine: servers of known service time behind a balancer.

Each server works on one request at a time and takes a random time for it, asleep: so that what is
measured is the queueing, and not the number of processors. ``python -m
recsys_lib.course.local_cluster`` runs one process of it; :class:`LocalCluster` starts them all.
"""

import asyncio
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pandas as pd

from recsys_lib.errors import RecsysError
from recsys_lib.seeding import generator
from recsys_lib.sockets import listening_socket

_HOST = "127.0.0.1"
_START_S = 60.0  # a busy machine takes long to start Python
VARIATION = 0.5  # standard deviation of a service time by its mean


class LocalCluster:
    """Servers and a balancer, each a process; ends with its ``with`` block.

    Parameters
    ----------
    n_servers : int
    service_s : float
        Mean seconds of an answer; the times are log-normal.
    policy : str
        Of the balancer.
    seed : int
        Of the service times.

    Attributes
    ----------
    url : str
        Of the balancer.
    servers : list of str
        Base URLs.
    """

    def __init__(self, n_servers: int, *, service_s: float, policy: str, seed: int):
        self.n_servers = n_servers
        self.service_s = service_s
        self.policy = policy
        self.seed = seed
        self._processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "LocalCluster":
        try:
            self.servers = [self.start_server(number) for number in range(self.n_servers)]
            self.url = self._start("balancer", self.policy, *self.servers)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
            process.stdout.close()

    def start_server(self, number: int, port: int = 0) -> str:
        """Start a server, on a port of its own unless one is given, and return its URL."""
        return self._start("server", str(self.service_s), str(self.seed + number), str(port))

    def kill(self, url: str) -> None:
        """End a process at once, with whatever it holds."""
        self._processes[url].kill()
        self._processes[url].wait()

    def _start(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "recsys_lib.course.local_cluster", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()  # the port; empty if the process has died
        if not line:
            raise RecsysError(f"A process of the cluster ended at once: {' '.join(arguments)}.")
        url = f"http://{_HOST}:{int(line)}"
        self._processes[url] = process
        httpx.get(f"{url}/health", timeout=_START_S, trust_env=False)
        return url


def drive(url: str, times_s, users, *, longest_s: float = 60.0) -> pd.DataFrame:
    """Send requests at given moments, whether or not earlier ones were answered.

    Parameters
    ----------
    url : str
        Of a balancer or a server.
    times_s : float array, shape (n,), sorted
        Seconds from the start.
    users : array, shape (n,)
    longest_s : float
        A request that takes longer has failed.

    Returns
    -------
    DataFrame
        One row a request in the order of sending: ``sent_s``; ``latency_s``; ``wait_s`` and
        ``service_s``, which the server says it spent; ``server``; ``status``, 0 without an answer.
    """
    # In a thread, because a notebook has an event loop already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(_drive(url, times_s, users, longest_s))).result()


async def _drive(url: str, times_s, users, longest_s: float) -> pd.DataFrame:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2)
    async with httpx.AsyncClient(
        base_url=url, limits=limits, timeout=longest_s, trust_env=False
    ) as client:
        begun = time.perf_counter()

        async def one(at_s: float, user) -> dict:
            await asyncio.sleep(at_s - (time.perf_counter() - begun))
            sent = time.perf_counter()
            row = {"sent_s": sent - begun, "status": 0}
            try:
                answer = await client.get(f"/users/{user}")
            except httpx.TransportError:
                return row
            row |= {"latency_s": time.perf_counter() - sent, "status": answer.status_code}
            for name in ("wait_s", "service_s"):
                row[name] = float(answer.headers.get(f"x-{name.replace('_', '-')}", "nan"))
            return row | {"server": answer.headers.get("x-server", "")}

        rows = await asyncio.gather(*map(one, np.asarray(times_s).tolist(), users))
    columns = ["sent_s", "latency_s", "wait_s", "service_s", "server", "status"]
    return pd.DataFrame(rows, columns=columns).sort_values("sent_s", ignore_index=True)


def _timed_service(service_s: float, seed: int, name: str):
    """Return an ASGI application that works on one request at a time, first come, first served."""
    rng = generator(seed, "local server")
    sigma = np.sqrt(np.log1p(VARIATION**2))
    turn = asyncio.Lock()
    free_since = 0.0

    async def app(scope, receive, send):
        nonlocal free_since
        headers = [(b"x-server", name.encode())]
        if scope["path"] != "/health":
            came = time.perf_counter()
            async with turn:
                # The handing over from one request to the next keeps the server busy too.
                begun = max(came, free_since)
                await asyncio.sleep(rng.lognormal(np.log(service_s) - sigma**2 / 2, sigma))
                free_since = ended = time.perf_counter()
            headers += [
                (b"x-wait-s", str(begun - came).encode()),
                (b"x-service-s", str(ended - begun).encode()),
            ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


def _listen(app, port: int, *, lifespan: str) -> None:
    import uvicorn

    listening = listening_socket(_HOST, port, backlog=1_024)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan=lifespan)
    uvicorn.Server(config).run(sockets=[listening])


def _main(what: str, *arguments: str) -> None:
    if what == "server":
        service_s, seed, port = arguments
        _listen(_timed_service(float(service_s), int(seed), seed), int(port), lifespan="off")
    else:
        from recsys_lib.serving.balancing.http import HttpBalancer

        policy, *urls = arguments
        built = HttpBalancer(urls, policy=policy, health_every_s=0.5, timeout_s=60.0)
        _listen(built.app(), 0, lifespan="on")


if __name__ == "__main__":
    _main(*sys.argv[1:])
