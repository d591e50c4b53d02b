"""The real balancer in front of real servers: nothing fails when one of them is killed."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from threading import Timer

import httpx
import numpy as np
import pytest

from recsys_lib.course.local_cluster import LocalCluster, drive
from recsys_lib.errors import RecsysError
from recsys_lib.serving.balancing import POLICIES, balancer
from recsys_lib.serving.balancing.http import HttpBalancer
from recsys_lib.serving.degradation import RetryBudget

# Processes of their own.


def status_of(url):
    rows = httpx.get(f"{url}/-/balancer", trust_env=False).json()["servers"]
    return {row["url"]: row for row in rows}


def test_a_server_killed_under_load_fails_no_request_and_may_come_back():
    with LocalCluster(2, service_s=0.02, policy="least_connections", seed=0) as cluster:
        victim = cluster.servers[0]
        killing = Timer(1.0, cluster.kill, [victim])
        killing.start()
        answers = drive(cluster.url, np.linspace(0, 3, 120), range(120))
        killing.join()
        assert (answers["status"] == 200).all()
        assert set(answers["server"][:20]) == {"0", "1"}
        assert set(answers["server"][-20:]) == {"1"}
        assert not status_of(cluster.url)[victim]["healthy"]
        assert status_of(cluster.url)[victim]["failures"] > 0

        cluster.start_server(9, port=int(victim.rpartition(":")[2]))
        answers = drive(cluster.url, np.linspace(1, 3, 60), range(60))
        assert (answers["status"] == 200).all()
        assert "9" in set(answers["server"])


# Servers of this process, on real sockets, each of which misbehaves in its own way.


class Raw:
    """A server whose ``answer`` returns the bytes to send, or None to break off."""

    def __init__(self, answer):
        self.answer = answer
        self.seen: list[bytes] = []
        self.well = True

    async def __call__(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = [line for line in head.lower().split(b"\r\n") if b"content-length" in line]
                body = await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
                if head.startswith(b"GET /health"):
                    sent = response(b"", 200 if self.well else 503)
                else:
                    self.seen.append(head + body)
                    sent = await self.answer(head)
                if sent is None:
                    break
                writer.write(sent)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def response(body: bytes, status: int = 200, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def fine(head):
    return response(b"fine")


async def breaks_off(head):
    return None


async def full(head):
    return response(b"full", 503)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def behind(*answers, **settings) -> AsyncIterator:
    """Start a server for each answer (None: its port refuses), and yield balancer, client, raws."""
    settings = {"policy": "round_robin", "health_every_s": 60.0} | settings
    async with AsyncExitStack() as stack:
        raws, urls = [Raw(answer) for answer in answers], []
        for raw in raws:
            port = free_port()
            if raw.answer:
                server = await asyncio.start_server(raw, "127.0.0.1", port)
                stack.callback(server.close)
            urls.append(f"http://127.0.0.1:{port}")
        built = HttpBalancer(urls, **settings)
        app = built.app()
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://balancer")
        yield built, await stack.enter_async_context(client), raws


def on_a_loop(test):
    """Let pytest call a coroutine."""

    def called():
        asyncio.run(asyncio.wait_for(test(), 60))

    called.__name__, called.__doc__ = test.__name__, test.__doc__
    return called


@pytest.mark.parametrize("policy", POLICIES)
def test_requests_go_where_the_policy_sends_them(policy):
    async def ask():
        async with behind(fine, fine, fine, policy=policy) as (built, client, raws):
            expected = balancer(policy, list(built.backends))
            for user in range(30):
                before = [len(raw.seen) for raw in raws]
                assert (await client.get(f"/users/{user}")).status_code == 200
                more = [len(raw.seen) - n for raw, n in zip(raws, before, strict=True)]
                server = expected.acquire(str(user))
                expected.release(server)
                assert list(built.backends)[more.index(1)] == server.name

    asyncio.run(asyncio.wait_for(ask(), 60))


@on_a_loop
async def test_a_refused_connection_is_tried_elsewhere_whatever_the_method():
    async with behind(None, fine, policy="least_connections") as (built, client, (_, raw)):
        for _ in range(6):
            assert (await client.post("/a", content=b"x")).text == "fine"
        assert len(raw.seen) == 6
        gone, there = built.backends.values()
        assert (gone.healthy, there.healthy) == (False, True)
        assert gone.requests <= 1  # left out at once


@on_a_loop
async def test_what_was_sent_is_repeated_only_if_that_changes_nothing():
    async with behind(breaks_off, fine) as (_, client, (bad, good)):
        assert (await client.get("/a")).text == "fine"
        assert (len(bad.seen), len(good.seen)) == (1, 1)
    async with behind(breaks_off, fine) as (_, client, (bad, good)):
        answer = await client.post("/a", content=b"x")
        assert (answer.status_code, answer.json()) == (502, {"error": "The server broke off."})
        assert (len(bad.seen), len(good.seen)) == (1, 0)


@on_a_loop
async def test_a_full_server_s_answer_is_the_last_word_only_if_all_are_full():
    async with behind(full, fine) as (_, client, raws):
        assert [(await client.get("/a")).status_code for _ in range(4)] == [200] * 4
    async with behind(full, full) as (built, client, raws):
        answer = await client.get("/a")
        assert (answer.status_code, answer.text) == (503, "full")
        assert [len(raw.seen) for raw in raws] == [1, 1]
        assert all(backend.healthy for backend in built.backends.values())


@on_a_loop
async def test_retries_end_with_their_budget():
    budget = RetryBudget(ratio=0.0, reserve=2.0)
    async with behind(full, full, budget=budget) as (_, client, raws):
        for _ in range(10):
            assert (await client.get("/a")).status_code == 503
        assert sum(len(raw.seen) for raw in raws) == 10 + 2


@on_a_loop
async def test_a_request_that_breaks_every_server_takes_none_out():
    async def fragile(head):
        return None if b"/poison" in head else response(b"fine")

    async with behind(fragile, fragile, fragile) as (built, client, _):
        assert (await client.get("/poison")).status_code == 502
        assert [(await client.get("/a")).status_code for _ in range(6)] == [200] * 6
        assert all(backend.healthy for backend in built.backends.values())


@on_a_loop
async def test_a_slow_server_is_not_asked_again():
    async def slow(head):
        await asyncio.sleep(30)

    async with behind(slow, slow, timeout_s=2.0) as (_, client, raws):
        assert (await client.get("/a")).status_code == 504
        assert sum(len(raw.seen) for raw in raws) == 1


@on_a_loop
async def test_a_draining_server_finishes_what_it_holds():
    go_on = asyncio.Event()

    async def slow(head):
        await go_on.wait()
        return response(b"slow")

    async with behind(slow, fine, health_every_s=0.02) as (built, client, (raw, _)):
        held = asyncio.create_task(client.get("/held"))
        while not raw.seen:
            await asyncio.sleep(0.01)
        url = next(iter(built.backends))
        built.drain(url)
        await asyncio.sleep(0.1)  # health checks don't bring it back
        assert [(await client.get("/a")).text for _ in range(4)] == ["fine"] * 4
        waiting = asyncio.create_task(built.drained(url))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        go_on.set()
        await waiting
        assert (await held).text == "slow"
        built.join(url)
        assert {(await client.get("/a")).text for _ in range(4)} == {"fine", "slow"}
        built.leave(url)
        assert [(await client.get("/a")).text for _ in range(4)] == ["fine"] * 4


@on_a_loop
async def test_a_server_that_says_it_is_not_well_gets_nothing_until_it_is():
    async with behind(fine, fine, health_every_s=0.02) as (built, client, (raw, _)):
        raw.well = False
        backend = next(iter(built.backends.values()))
        while backend.healthy:
            await asyncio.sleep(0.01)
        before = len(raw.seen)
        assert [(await client.get("/a")).status_code for _ in range(4)] == [200] * 4
        assert len(raw.seen) == before
        raw.well = True
        while not backend.healthy:
            await asyncio.sleep(0.01)
        assert [(await client.get("/a")).status_code for _ in range(4)] == [200] * 4
        assert len(raw.seen) > before


@on_a_loop
async def test_nothing_is_lost_on_the_way():
    packed = gzip.compress(b"packed")

    async def rich(head):
        lines = (b"content-encoding: gzip", b"set-cookie: a=1", b"set-cookie: b=2", b"x-own: yes")
        return response(packed, 201, *lines)

    async with behind(rich) as (_, client, (raw,)):
        answer = await client.put("/a%2Fb/c?q=%C3%A9&q=2", content=b"body", headers={"x-id": "7"})
        assert (answer.status_code, answer.content) == (201, b"packed")
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert answer.headers["x-own"] == "yes"
        assert raw.seen[0].startswith(b"PUT /a%2Fb/c?q=%C3%A9&q=2 HTTP/1.1")
        assert raw.seen[0].endswith(b"body")
        assert b"x-id: 7" in raw.seen[0].lower()


@on_a_loop
async def test_what_can_not_be_served_says_why():
    async with behind(fine) as (built, client, (raw,)):
        assert (await client.post("/a", content=b"x" * (2**20 + 1))).status_code == 413
        assert raw.seen == []
        built.drain(next(iter(built.backends)))
        answer = await client.get("/a")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@on_a_loop
async def test_a_user_meets_one_server():
    async with behind(fine, fine, fine, policy="consistent_hash") as (_, client, raws):
        for user in range(30):
            for path in (f"/users/{user}", f"/users/{user}/rows", f"/top?user_id={user}"):
                assert (await client.get(path)).status_code == 200
        assert sum(bool(raw.seen) for raw in raws) == 3
        assert all(len(raw.seen) % 3 == 0 for raw in raws)


@pytest.mark.parametrize("url", ["localhost:80", "http://", "ftp://a", "http://a/api"])
def test_a_url_that_is_no_server_is_refused(url):
    with pytest.raises(RecsysError, match="is no base URL"):
        HttpBalancer([url])


def test_an_unknown_server_can_not_be_drained():
    with pytest.raises(RecsysError, match=r"no server 'http://b'. Servers here: http://a"):
        HttpBalancer(["http://a"]).drain("http://b")
