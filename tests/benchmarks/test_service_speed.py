"""What an answer costs the service, made and from the cache, and what a balancer adds.

Load comes from this process, the service is another one. On a busy machine the wall clock says
little; so the service's own CPU time for a request is measured beside it: its inverse is the
throughput of one core.
"""

import http.client
import json
import re
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

N_REQUESTS, N_CLIENTS = 400, 4


@pytest.fixture(scope="module")
def start():
    """Return a function that starts the service with some options: its address and process."""
    running = []

    def run(*options):
        line = [sys.executable, "-u", "-m", "recsys_lib", "serve", "--port", "0", *options]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        running.append(process)
        for text in process.stdout:
            if found := re.search(r"served at http://(\S+?)(?:;| by)", text):
                break
        address = found[1]
        while request(http.client.HTTPConnection(address), "/ready") != 200:
            time.sleep(0.1)
        return address, psutil.Process(process.pid)

    yield run
    for process in running:
        process.terminate()
        process.wait(60)


def request(connection, path) -> int:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def warm_up(address: str, paths: list[str]) -> None:
    """Ask until every answer that can be cached is cached, on all workers."""
    connection = http.client.HTTPConnection(address, timeout=60)
    for path in dict.fromkeys(paths):
        for _ in range(50):
            connection.request("GET", path)
            answer = json.loads(connection.getresponse().read())
            if answer.get("source", "memory") == "memory" or "off=cache" in path:
                break


def load(address: str, paths: list[str], n_clients: int = N_CLIENTS) -> np.ndarray:
    """Ask for all paths over some kept connections; return the seconds of each request."""
    seconds: list[float] = []

    def client(mine):
        connection = http.client.HTTPConnection(address, timeout=60)
        for path in mine:
            began = time.perf_counter()
            assert request(connection, path) == 200
            seconds.append(time.perf_counter() - began)

    clients = [
        threading.Thread(target=client, args=(paths[i::n_clients],)) for i in range(n_clients)
    ]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    return np.array(seconds)


def cpu_s(process: psutil.Process) -> float:
    times = [p.cpu_times() for p in [process, *process.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def measured(benchmark, address, process, paths) -> float:
    """Time a load; return the CPU seconds of the service for a request."""
    warm_up(address, paths)
    before = cpu_s(process)
    seconds = benchmark.pedantic(load, [address, paths], rounds=1)
    cost = (cpu_s(process) - before) / len(paths)
    benchmark.extra_info["cpu_ms_a_request"] = round(1e3 * cost, 3)
    for name, q in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        benchmark.extra_info[name] = round(1e3 * float(np.quantile(seconds, q)), 2)
    return cost


def paths_of(query: str, n: int = N_REQUESTS) -> list[str]:
    return [f"/api/users/{1 + i % 50}/recommendations?k=10{query}" for i in range(n)]


COSTS: dict[str, float] = {}


@pytest.mark.benchmark(group="400 lists over HTTP, 4 clients (peer: /health, which does nothing)")
@pytest.mark.parametrize("kind", ["nothing", "made", "cached", "cached, 2 workers"])
def test_a_list_over_http(benchmark, start, kind):
    options = ("--workers", "2") if "workers" in kind else ()
    address, process = start(*options)
    paths = {"nothing": ["/health"] * N_REQUESTS, "made": paths_of("&off=cache")}
    found = paths.get(kind) or paths_of("")
    COSTS[kind] = measured(benchmark, address, process, found)
    if kind == "cached":
        benchmark.extra_info["times_cheaper_than_made"] = round(COSTS["made"] / COSTS["cached"], 1)
