"""The real balancer: one process that takes requests and hands them to the processes that answer.

It speaks HTTP/1.1 to both sides over kept connections, chooses by one of the policies of
:mod:`recsys_lib.serving.balancing`, leaves a worker alone that fails its health check, lets one
finish what it holds before it goes, and tries another one where that is safe: within a budget, so
that retries cannot make an overload worse.
"""

import asyncio
import contextlib
import json
import logging
import random
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from recsys_lib.seeding import DEFAULT_SEED
from recsys_lib.serving.balancing import Balancer, NoServer, Server, balancer
from recsys_lib.serving.degradation import RetryBudget

logger = logging.getLogger(__name__)

LOOK_S = 0.5  # between two health checks
FAILED_LOOKS = 2  # in a row, and a worker gets nothing new
LONGEST_HEAD = 65_536  # bytes, of a request or an answer
LONGEST_BODY = 65_536  # bytes of a request; the workers take less
TIMEOUT_S = 10.0
IDLE_S = 75.0
SAFE = ("GET", "HEAD")  # may be asked twice
OF_USER = re.compile(r"(?:/api/users/|/api/status\?user=)([^/?&]+)")


@dataclass
class Worker:
    """A process that answers.

    Attributes
    ----------
    name : str
    path : Path
        Of the Unix socket that it listens at.
    idle : list
        Connections that are open and not in use.
    failed : int
        Health checks in a row.
    """

    name: str
    path: Path
    idle: list = field(default_factory=list)
    failed: int = 0


class BadRequest(Exception):
    """What a client sent is no request that is passed on."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class FrontBalancer:
    """A balancer over workers, to be run in an event loop.

    Parameters
    ----------
    workers : dict of str to Path
        By name, the sockets they listen at.
    policy : str
        A name of :data:`recsys_lib.serving.balancing.POLICIES`.
    retries : RetryBudget, optional

    Attributes
    ----------
    counts : dict of str to int
        Requests by worker.
    retried : int
    """

    def __init__(self, workers: dict[str, Path], policy: str, retries: RetryBudget | None = None):
        self.workers = {name: Worker(name, path) for name, path in workers.items()}
        self.balancer: Balancer = balancer(policy, list(workers))
        self.retries = retries or RetryBudget()
        self.counts = dict.fromkeys(workers, 0)
        self.retried = 0
        self._drained: set[str] = set()  # by hand: a health check does not bring these back
        self._clients: set[asyncio.Task] = set()
        self._random = random.Random(DEFAULT_SEED)

    async def serve(self, listening, ended: asyncio.Event) -> None:
        """Take connections of a socket until the event is set; then finish what is under way."""
        server = await asyncio.start_server(self._client, sock=listening, limit=LONGEST_HEAD)
        looking = asyncio.create_task(self._look())
        try:
            await ended.wait()
        finally:
            server.close()
            looking.cancel()
            deadline = time.monotonic() + TIMEOUT_S
            while any(each.active for each in self.balancer.servers) and (
                time.monotonic() < deadline
            ):
                await asyncio.sleep(0.02)
            for client in self._clients:
                client.cancel()
            await asyncio.gather(looking, *self._clients, return_exceptions=True)

    def drain(self, name: str) -> Server:
        """Send a worker nothing new; it may be stopped when its ``active`` is 0."""
        self._drained.add(name)
        return self.balancer.drain(name)

    def join(self, name: str) -> None:
        """Send a worker requests again."""
        self._drained.discard(name)
        self.balancer.join(name)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after the other."""
        task = asyncio.current_task()
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)
        try:
            while True:
                request = await asyncio.wait_for(_read_request(reader), IDLE_S)
                if request is None:
                    return
                answer, keep = await self._answer(*request)
                writer.write(answer)
                await writer.drain()
                if not keep:
                    return
        except BadRequest as error:
            with contextlib.suppress(OSError):
                writer.write(_problem(error.status, str(error)))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client has gone
        finally:
            writer.close()

    async def _answer(self, method: str, target: str, message: bytes) -> tuple[bytes, bool]:
        """Return an answer of some worker, and whether its connection is kept."""
        found = OF_USER.match(target)
        # Whose request it is decides for the policies that hash; others are spread.
        key = unquote(found[1]) if found else self._random.random()
        self.retries.request()
        tried: set[str] = set()
        while True:
            try:
                server = self.balancer.acquire(key, avoid=tried)
            except NoServer:
                return _problem(503, "No process can answer. Try again later."), False
            worker = self.workers[server.name]
            self.counts[server.name] += 1
            try:
                return await asyncio.wait_for(_ask(worker, message), TIMEOUT_S)
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                tried.add(server.name)
                logger.info("%s fails: %r", server.name, error)
                if isinstance(error, ConnectionRefusedError | FileNotFoundError):
                    # Nobody is there: nothing is lost, and the next one costs nobody more.
                    self._set_aside(worker)
                elif method not in SAFE or not self.retries.allows_retry():
                    return _problem(502, "The process that answers has ended."), False
                self.retried += 1
            except TimeoutError:
                return _problem(504, f"No answer within {TIMEOUT_S:g} s."), False
            finally:
                self.balancer.release(server)

    async def _look(self) -> None:
        """Ask all workers for their health, again and again."""
        message = b"GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n"
        while True:
            for worker in self.workers.values():
                try:
                    answer, _ = await asyncio.wait_for(_ask(worker, message), 2.0)
                    well = answer.startswith(b"HTTP/1.1 200")
                except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                    well = False
                worker.failed = 0 if well else worker.failed + 1
                if well and not self._is_open(worker) and worker.name not in self._drained:
                    self.balancer.join(worker.name)
                elif worker.failed >= FAILED_LOOKS:
                    self._set_aside(worker)
            await asyncio.sleep(LOOK_S)

    def _set_aside(self, worker: Worker) -> None:
        """Send a worker nothing new until it is well."""
        if self._is_open(worker):
            logger.warning("%s gets nothing new until it is well", worker.name)
            self.balancer.drain(worker.name)
            worker.idle.clear()

    def _is_open(self, worker: Worker) -> bool:
        return any(each.open for each in self.balancer.servers if each.name == worker.name)


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, str, bytes] | None:
    """Return method, target and all bytes of a request; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest(431, "The head of the request is too long.") from None
    first, *lines = head[:-4].split(b"\r\n")
    parts = first.split(b" ")
    if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0") or not parts[0].isalpha():
        raise BadRequest(400, "This is no HTTP request.")
    length = 0
    for line in lines:
        name, colon, value = line.partition(b":")
        # A head that two readers may understand in two ways is not passed on.
        if not colon or not name or name.strip() != name:
            raise BadRequest(400, "A header is not of its form.")
        match name.lower():
            case b"transfer-encoding":
                raise BadRequest(411, "Say how long the body is (Content-Length).")
            case b"content-length":
                if not value.strip().isdigit() or length:
                    raise BadRequest(400, "Content-Length is no number.")
                length = int(value)
    if length > LONGEST_BODY:
        raise BadRequest(413, f"The body has {length} bytes; at most {LONGEST_BODY} are read.")
    body = await reader.readexactly(length) if length else b""
    return parts[0].decode(), parts[1].decode("latin-1"), head + body


async def _ask(worker: Worker, message: bytes) -> tuple[bytes, bool]:
    """Send a request to a worker; return its whole answer, and whether the client may go on."""
    fresh = not worker.idle
    connection = worker.idle.pop() if worker.idle else await _connect(worker)
    try:
        answer = await _exchange(*connection, message)
    except (OSError, asyncio.IncompleteReadError):
        connection[1].close()
        if fresh:
            raise
        # A kept connection may have ended while nobody looked. To ask again is safe even for
        # events: the same rating twice is one rating.
        connection = await _connect(worker)
        answer = await _exchange(*connection, message)
    except BaseException:
        connection[1].close()
        raise
    if answer[1]:
        worker.idle.append(connection)
    else:
        connection[1].close()
    return answer


async def _connect(worker: Worker):
    return await asyncio.open_unix_connection(str(worker.path), limit=LONGEST_HEAD)


async def _exchange(reader, writer, message: bytes) -> tuple[bytes, bool]:
    writer.write(message)
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    found = re.search(rb"\r\ncontent-length: *(\d+)\r\n", lower)
    body = b""
    if found and not message.startswith(b"HEAD ") and not lower.startswith(b"http/1.1 304"):
        body = await reader.readexactly(int(found[1]))
    return head + body, b"\r\nconnection: close" not in lower


def _problem(status: int, message: str) -> bytes:
    body = json.dumps({"error": message}).encode()
    again = "retry-after: 1\r\n" if status == 503 else ""
    head = (
        f"HTTP/1.1 {status} {'Error' if status != 503 else 'Service Unavailable'}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{again}"
        "x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body
