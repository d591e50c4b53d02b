"""What an answer costs the service, made and from the cache, and what a balancer adds.

Load comes from this process, the service is another one. On a busy machine the wall clock says
little; so the service's own CPU time for a request is measured beside it: its inverse is the
throughput of one core.

Served is the newest run in the outputs that `RECSYS_BENCH_OUTPUTS` names: the whole cascade.
Without it there is no run, and light channels are measured.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
import requests

from recsys_lib.seeding import generator
from recsys_lib.serving.balancing import balancer
from recsys_lib.simulation import Measured, OneMachine, Requests, Workload, simulate_one_machine

N_REQUESTS, N_CLIENTS = 400, 4


@pytest.fixture(scope="module")
def start():
    """Return a function that starts the service with some options: its address and process."""
    running = []

    def run(*options):
        line = [sys.executable, "-u", "-m", "recsys_lib", "serve", "--port", "0", *options]
        outputs = os.environ.get("RECSYS_BENCH_OUTPUTS", os.environ["RECSYS_OUTPUTS_DIR"])
        where = os.environ | {"RECSYS_OUTPUTS_DIR": outputs}
        process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=where)
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


def at_once(client, given) -> None:
    """Run a client for each of some things, each on a thread of its own, until all have ended."""
    threads = [threading.Thread(target=client, args=(each,)) for each in given]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def load(
    address: str, paths: list[str], n_clients: int = N_CLIENTS, pause_s: float = 0.0
) -> np.ndarray:
    """Ask for all paths over some kept connections; return the seconds of each request."""
    seconds: list[float] = []

    def client(mine):
        connection = http.client.HTTPConnection(address, timeout=60)
        for path in mine:
            time.sleep(pause_s)
            began = time.perf_counter()
            assert request(connection, path) == 200
            seconds.append(time.perf_counter() - began)

    at_once(client, (paths[i::n_clients] for i in range(n_clients)))
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


def offered(address: str, paths: list[str], rate: float, n_clients: int = 100) -> list[tuple]:
    """Send requests at a rate, however slow the answers are; return (status, seconds) of each.

    The seconds count from the moment a request was due, so a client that comes late counts too.
    """
    found: list[tuple] = []
    begin = time.perf_counter() + 0.5

    def client(number):
        connection = http.client.HTTPConnection(address, timeout=30)
        for i in range(number, len(paths), n_clients):
            due = begin + i / rate
            time.sleep(max(due - time.perf_counter(), 0))
            try:
                status = request(connection, paths[i])
            except OSError:
                status = 0
                connection.close()
            found.append((status, time.perf_counter() - due))

    at_once(client, range(n_clients))
    return found


@pytest.mark.benchmark(group="uncached lists, at a multiple of what one process can make")
@pytest.mark.parametrize("times", [0.5, 3, 5])
def test_a_spike(benchmark, start, times):
    address, _ = start()
    paths = paths_of("&off=cache", 200)
    load(address, paths[:50])
    began = time.perf_counter()
    load(address, paths)
    capacity = len(paths) / (time.perf_counter() - began)  # of four clients, one after another
    paths = paths_of("&off=cache", int(times * capacity * 10))
    found = benchmark.pedantic(offered, [address, paths, times * capacity], rounds=1)
    seconds = np.array([s for _, s in found])
    in_time = sum(status == 200 and s <= 1 for status, s in found)
    benchmark.extra_info["capacity"] = round(capacity, 1)
    benchmark.extra_info["availability"] = round(in_time / len(found), 5)
    benchmark.extra_info["p99_ms"] = round(1e3 * float(np.quantile(seconds, 0.99)), 1)
    levels = json.loads(requests.get(f"http://{address}/api/status", timeout=30).text)["levels"]
    benchmark.extra_info["levels"] = {each["name"]: each["answers"] for each in levels}


def one_after_another(*addresses: str, n: int = 150, pause_s: float = 0.0) -> np.ndarray:
    """Let a client ask each server, all at a time; return the seconds of each request.

    A request that comes after a pause takes longer: the processor has slept or done other things.
    """
    seconds: list[np.ndarray] = []

    def client(address):
        seconds.append(load(address, paths_of("&off=cache", n), 1, pause_s)[10:])

    at_once(client, addresses)
    return np.concatenate(seconds)


def at_moments(address: str, times_s: np.ndarray, n_clients: int = 40) -> tuple:
    """Send requests at given moments; return when each was sent, in order, and its seconds."""
    paths, found = paths_of("&off=cache", len(times_s)), []
    begin = time.perf_counter() + 0.5

    def client(number):
        connection = http.client.HTTPConnection(address, timeout=30)
        for i in range(number, len(paths), n_clients):
            time.sleep(max(begin + times_s[i] - time.perf_counter(), 0))
            began = time.perf_counter()
            assert request(connection, paths[i]) == 200
            found.append((began - begin, time.perf_counter() - began))

    at_once(client, range(n_clients))
    return tuple(np.array(sorted(found)).T)


def figures(sent_s, seconds) -> np.ndarray:
    """Return p50 and p95 in ms and answers a second."""
    throughput = len(sent_s) / ((sent_s + seconds).max() - sent_s[0])
    return np.array([*(1e3 * np.percentile(seconds, [50, 95])), throughput])


@pytest.mark.benchmark(group="two processes under load, beside what the simulator predicts")
@pytest.mark.parametrize("share", [0.3, 0.5])
def test_the_simulator_predicts_two_processes(benchmark, start, share):
    """What is measured with one request at a time predicts what many do to each other."""
    policy, n_rounds = "least_connections", 3
    address, _ = start("--workers", "2", "--policy", policy)
    status = requests.get(f"http://{address}/-/balancer", timeout=30).json()
    servers = [each["url"].removeprefix("http://") for each in status["servers"]]
    one_after_another(*servers)  # warms them up
    real, simulated = [], []

    def measure():
        for seed in range(n_rounds):
            busy = one_after_another(servers[0]).mean()
            slowdown = one_after_another(*servers).mean() / busy
            rest_s = busy * (1 / share - 1)  # of a server between two requests, at this load
            alone = one_after_another(servers[0], pause_s=rest_s)
            front_s = one_after_another(address, pause_s=rest_s).mean() - alone.mean()
            machine = OneMachine(
                service=Measured(alone), front_s=max(front_s, 0), slowdown=max(slowdown, 1)
            )
            rate = share * 2 / slowdown / (alone.mean() + front_s)
            times = Workload(rate=rate, duration_s=30, n_users=10).draw(seed).times_s
            sent, seconds = at_moments(address, times)
            real.append(figures(sent, seconds))
            trace = Requests(sent - sent[0], generator(seed, "users").integers(1, 9, len(sent)))
            for each in range(10):
                found = simulate_one_machine(machine, balancer(policy, servers), trace, seed=each)
                simulated.append(figures(trace.times_s, found))

    benchmark.pedantic(measure, rounds=1)
    errors = np.mean(simulated, axis=0) / np.mean(real, axis=0) - 1
    for place, name in enumerate(("p50_ms", "p95_ms", "throughput")):
        benchmark.extra_info[name] = [round(float(each[place]), 1) for each in real]
        benchmark.extra_info[f"{name}_error"] = round(float(errors[place]), 3)
