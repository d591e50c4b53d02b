"""The real balancer, before servers that do as they are told."""

import asyncio
import contextlib
import json
import socket
import threading
from collections import Counter
from pathlib import Path

import pytest
import requests
from service_site import eventually

from recsys_lib.serving.balancing import POLICIES, balancer
from recsys_lib.serving.degradation import RetryBudget
from recsys_lib.serving.service.balancer import FrontBalancer
from recsys_lib.serving.service.server import listening_socket, local_socket, url_of, web_server


class Echo:
    """An application that says who it is and what it got."""

    def __init__(self, name: str):
        self.name = name
        self.well = True
        self.gate = threading.Event()
        self.gate.set()
        self.taken: list[tuple[str, str]] = []

    async def __call__(self, scope, receive, send):
        body = (await receive()).get("body", b"")
        if scope["path"] != "/ready":
            self.taken.append((scope["method"], scope["path"]))
            while not self.gate.is_set():
                await asyncio.sleep(0.01)
        status = 200 if self.well or scope["path"] != "/ready" else 503
        text = json.dumps({"name": self.name, "got": body.decode()}).encode()
        headers = [(b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})


class Cluster:
    """Three servers, and a balancer before them."""

    def __init__(self, folder: Path, policy: str):
        self.echoes = {name: Echo(name) for name in ("a", "b", "c")}
        self.folder = folder
        self.webs, self.threads, self.sockets = {}, {}, {}
        for name in self.echoes:
            self.start(name)
        self.front = FrontBalancer(dict(self.sockets), policy)
        listening = listening_socket("127.0.0.1", 0)
        self.url = url_of(listening)
        self.loop = asyncio.new_event_loop()
        self.ended = asyncio.Event()
        serve = self.front.serve(listening, self.ended)
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(serve,))
        self.thread.start()

    def start(self, name):
        self.sockets[name] = self.folder / f"{name}.sock"
        listening = local_socket(self.sockets[name])
        self.webs[name] = web_server(self.echoes[name])
        run = {"sockets": [listening]}
        self.threads[name] = threading.Thread(target=self.webs[name].run, kwargs=run)
        self.threads[name].start()

    def stop(self, name):
        self.webs[name].should_exit = True
        self.threads[name].join()
        self.sockets[name].unlink(missing_ok=True)

    def call(self, function, *arguments):
        async def run():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def close(self):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join()
        for name, web in self.webs.items():
            web.should_exit = True
            self.threads[name].join()
        self.loop.close()

    def ask(self, user, **options) -> str:
        answer = requests.get(f"{self.url}/api/users/{user}", timeout=30, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["name"]


@pytest.fixture
def cluster(tmp_path_factory, request):
    policy = getattr(request, "param", "round_robin")
    running = Cluster(tmp_path_factory.mktemp("c"), policy)
    yield running
    running.close()


@pytest.mark.parametrize("cluster", POLICIES, indirect=True)
def test_requests_go_where_the_policy_sends_them(cluster: Cluster):
    names = [cluster.ask(user) for user in range(30)]
    expected = balancer(
        next(p for p, c in POLICIES.items() if type(cluster.front.balancer) is c), "abc"
    )
    chosen = []
    for user in range(30):
        server = expected.acquire(str(user))
        chosen.append(server.name)
        expected.release(server)
    assert names == chosen
    assert sum(cluster.front.counts.values()) == 30


@pytest.mark.parametrize("cluster", ["consistent_hash", "rendezvous"], indirect=True)
def test_a_user_stays_with_a_server_while_others_come_and_go(cluster: Cluster):
    before = {user: cluster.ask(user) for user in range(40)}
    cluster.call(cluster.front.drain, "b")
    after = {user: cluster.ask(user) for user in range(40)}
    assert "b" not in after.values()
    assert all(after[user] == name for user, name in before.items() if name != "b")
    cluster.call(cluster.front.join, "b")
    assert {user: cluster.ask(user) for user in range(40)} == before


def test_a_server_that_dies_costs_no_answer_and_comes_back(cluster: Cluster):
    cluster.stop("b")
    assert set(Counter(cluster.ask(user) for user in range(30))) == {"a", "c"}
    assert cluster.front.retried > 0
    eventually(lambda: [s.open for s in cluster.front.balancer.servers if s.name == "b"], [False])
    retried = cluster.front.retried
    for user in range(10):
        cluster.ask(user)
    assert cluster.front.retried == retried  # nothing is sent there any more
    cluster.start("b")
    eventually(lambda: [s.open for s in cluster.front.balancer.servers if s.name == "b"], [True])
    assert "b" in [cluster.ask(user) for user in range(6)]


def test_retries_end_with_their_budget(cluster: Cluster):
    cluster.stop("b")
    hangs_up = local_socket(cluster.sockets["b"])  # takes every connection, and answers none

    def hang_up():
        with contextlib.suppress(OSError):
            while True:
                hangs_up.accept()[0].close()

    threading.Thread(target=hang_up, daemon=True).start()
    cluster.front.retries = RetryBudget(ratio=0.0, reserve=2)
    cluster.front._set_aside = lambda worker: None  # the health check would end the test early
    statuses = [requests.get(f"{cluster.url}/x", timeout=30).status_code for _ in range(18)]
    hangs_up.close()
    assert cluster.front.retried == 2
    in_vain = cluster.front.counts["b"]
    assert in_vain >= 5
    assert Counter(statuses) == {200: 18 - in_vain + 2, 502: in_vain - 2}


def test_a_server_that_is_not_well_gets_nothing_new(cluster: Cluster):
    cluster.echoes["c"].well = False
    eventually(lambda: [s.open for s in cluster.front.balancer.servers if s.name == "c"], [False])
    assert "c" not in [cluster.ask(user) for user in range(12)]
    cluster.echoes["c"].well = True
    eventually(lambda: [s.open for s in cluster.front.balancer.servers if s.name == "c"], [True])


def test_a_server_that_drains_finishes_what_it_holds(cluster: Cluster):
    for echo in cluster.echoes.values():
        echo.gate.clear()
    answers = []
    asking = [
        threading.Thread(target=lambda user=user: answers.append(cluster.ask(user)))
        for user in range(3)
    ]
    for each in asking:
        each.start()
    eventually(lambda: sum(len(echo.taken) for echo in cluster.echoes.values()), 3)
    server = cluster.call(cluster.front.drain, "a")
    assert server.active == 1
    for echo in cluster.echoes.values():
        echo.gate.set()
    for each in asking:
        each.join()
    assert sorted(answers) == ["a", "b", "c"]
    assert server.active == 0


def test_events_are_passed_on_once(cluster: Cluster):
    for number in range(9):
        answer = requests.post(f"{cluster.url}/api/users/1/ratings", json={"n": number}, timeout=30)
        assert json.loads(answer.json()["got"]) == {"n": number}
    posts = [each for echo in cluster.echoes.values() for each in echo.taken if each[0] == "POST"]
    assert len(posts) == 9


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", 431),
    ],
)
def test_what_two_readers_may_understand_differently_is_not_passed_on(cluster, sent, status):
    port = int(cluster.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(sent)
        assert raw.recv(4_096).startswith(f"HTTP/1.1 {status} ".encode())
    assert not any(echo.taken for echo in cluster.echoes.values())
    assert cluster.ask(1) in "abc"


def test_without_any_server_the_answer_is_503(cluster: Cluster):
    for name in "abc":
        cluster.call(cluster.front.drain, name)
    answer = requests.get(f"{cluster.url}/x", timeout=30)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
