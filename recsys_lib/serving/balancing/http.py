"""A balancer in front of real HTTP servers: health checks, draining, retries with a budget.

The policies are those of the simulator. Servers are named by their base URLs and need no code of
ours: any HTTP service with a path that says whether it is well can stand behind it.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from recsys_lib.errors import RecsysError
from recsys_lib.serving.balancing import Balancer, NoServer, balancer
from recsys_lib.serving.degradation import RetryBudget

STATUS_PATH = "/-/balancer"
_METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
# May be sent twice: the second time changes nothing more (RFC 9110, 9.2.2).
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# Of one connection, not of the message (RFC 9110, 7.6.1); lengths are counted anew.
_OF_THE_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade content-length host".split()
)
# Below the 5 s after which uvicorn closes an idle connection, or a request might meet the closing.
_IDLE_S = 2.0
_LARGEST_BODY = 1 << 20  # bytes


@dataclass
class Backend:
    """A server as the balancer knows it.

    Attributes
    ----------
    url : str
    weight : float
    healthy : bool
        Whether its health checks say so.
    draining : bool
        Whether it was asked to take nothing new.
    requests, failures : int
        Attempts so far, and those without an answer.
    """

    url: str
    weight: float = 1.0
    healthy: bool = True
    draining: bool = False
    requests: int = 0
    failures: int = 0
    failed_in_a_row: int = 0


def user_of(request: Request) -> Hashable:
    """Return the key of a request: the user in its path or query, else its path."""
    found = re.search(r"/users/([^/]+)", request.url.path)
    if found:
        return found.group(1)
    asked = request.query_params
    return asked.get("user_id") or asked.get("user") or request.url.path


class HttpBalancer:
    """Forwards each request to one of several servers.

    A request whose server gives no answer is tried on another, as long as the budget lasts: at
    once if no connection came about, else only if its method may be repeated. A server that
    refuses connections, or fails ``fall`` times in a row, gets nothing until a health check
    succeeds. One that answers its check with an error is drained in the same way: it finishes
    what it has. Requests and answers are held in memory whole.

    Parameters
    ----------
    servers : iterable of str, or mapping of str to float
        Base URLs such as ``http://localhost:8001``, or with their weights.
    policy : str
        A name of ``POLICIES``.
    health_path : str
        Answered with a status below 400 by a server that wants requests.
    health_every_s, health_timeout_s : float
    fall : int
        Failures in a row after which a server is left out.
    timeout_s : float
        For one attempt; a server that takes longer may still be at work, so there is no retry.
    attempts : int
        Servers that are tried for a request at most.
    budget : RetryBudget, optional
    key_of : function
        Returns the key of a request, for the policies that hash.
    **settings
        Handed to the policy.
    """

    def __init__(
        self,
        servers: Iterable[str] | Mapping[str, float],
        *,
        policy: str = "power_of_choices",
        health_path: str = "/health",
        health_every_s: float = 1.0,
        health_timeout_s: float = 1.0,
        fall: int = 2,
        timeout_s: float = 10.0,
        attempts: int = 3,
        budget: RetryBudget | None = None,
        key_of: Callable[[Request], Hashable] = user_of,
        **settings,
    ):
        self.balancer: Balancer = balancer(policy, (), **settings)
        self.health_path = health_path
        self.health_every_s = health_every_s
        self.health_timeout_s = health_timeout_s
        self.fall = fall
        self.timeout_s = timeout_s
        self.attempts = attempts
        self.budget = budget or RetryBudget()
        self.key_of = key_of
        self.backends: dict[str, Backend] = {}
        weights = servers if isinstance(servers, Mapping) else dict.fromkeys(servers, 1.0)
        for url, weight in weights.items():
            self.join(url, weight)

    def app(self) -> Starlette:
        """Return the ASGI application; its health checks run while it does."""
        return Starlette(
            routes=[
                Route(STATUS_PATH, self._status, methods=["GET"]),
                Route("/{path:path}", self._forward, methods=_METHODS),
            ],
            lifespan=self._running,
        )

    # Servers that come and go.

    def join(self, url: str, weight: float = 1.0) -> None:
        """Add a server, or take one back that was draining.

        Raises
        ------
        RecsysError
            It is no base URL.
        """
        parts = httpx.URL(url)
        if parts.scheme not in ("http", "https") or not parts.host or parts.path != "/":
            raise RecsysError(
                f"{url!r} is no base URL of a server; write it as http://localhost:8001, without a "
                "path."
            )
        backend = self.backends.setdefault(url, Backend(url))
        backend.weight, backend.draining = weight, False
        self._open_or_close(backend)

    def drain(self, url: str) -> None:
        """Send a server nothing new; :meth:`drained` says when it has finished."""
        self._known(url).draining = True
        self._open_or_close(self.backends[url])

    async def drained(self, url: str) -> None:
        """Wait until a draining server holds no request."""
        server = next(s for s in self.balancer.servers if s.name == self._known(url).url)
        while server.active:
            await asyncio.sleep(0.01)

    def leave(self, url: str) -> None:
        """Forget a server; what it holds is still answered."""
        self._known(url)
        del self.backends[url]
        self.balancer.leave(url)

    def _known(self, url: str) -> Backend:
        if url not in self.backends:
            known = ", ".join(self.backends) or "none"
            raise RecsysError(f"There is no server {url!r}. Servers here: {known}.")
        return self.backends[url]

    def _open_or_close(self, backend: Backend) -> None:
        if self.backends.get(backend.url) is not backend:
            return  # it has left while a check or a request of it was under way
        joined = next((s for s in self.balancer.servers if s.name == backend.url), None)
        wanted = backend.healthy and not backend.draining
        if joined is None or (wanted and (not joined.open or joined.weight != backend.weight)):
            joined = self.balancer.join(backend.url, backend.weight)
        if joined.open and not wanted:
            self.balancer.drain(backend.url)

    # Health.

    @asynccontextmanager
    async def _running(self, app: Starlette) -> AsyncIterator[None]:
        # How many connections are open is the servers' business; waiting for one is not measured.
        limits = httpx.Limits(max_connections=None, keepalive_expiry=_IDLE_S)
        async with httpx.AsyncClient(limits=limits, timeout=self.timeout_s, trust_env=False) as own:
            self._client = own
            checks = asyncio.create_task(self._check_for_ever())
            yield
            checks.cancel()
            with suppress(asyncio.CancelledError):
                await checks

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.gather(*map(self._check, list(self.backends.values())))
            await asyncio.sleep(self.health_every_s)

    async def _check(self, backend: Backend) -> None:
        url = backend.url.rstrip("/") + self.health_path
        try:
            answer = await self._client.get(url, timeout=self.health_timeout_s)
        except httpx.TransportError:
            self._failed(backend)
            return
        if answer.status_code < 400:
            backend.failed_in_a_row, backend.healthy = 0, True
        else:
            backend.healthy = False  # it says so itself, which needs no second opinion
        self._open_or_close(backend)

    def _failed(self, backend: Backend, *, refused: bool = False) -> None:
        """Take note of a failure. One that is no refusal may be the request's own fault, and a
        request that breaks every server it meets must not take them all out at once."""
        backend.failed_in_a_row += 1
        if refused or backend.failed_in_a_row >= self.fall:
            backend.healthy = False
        self._open_or_close(backend)

    # The path of a request.

    async def _forward(self, request: Request) -> Response:
        try:
            body = await _body_of(request)
        except ClientDisconnect:
            return Response(status_code=499)
        if body is None:
            return _problem(413, f"The body is larger than {_LARGEST_BODY:,} bytes.")
        self.budget.request()
        tried: set[str] = set()
        answer = _problem(503, "No server is ready. Try again in a second.")
        for _ in range(self.attempts):
            try:
                server = self.balancer.acquire(self.key_of(request), tried)
            except NoServer:
                break
            try:
                if tried and not self.budget.allows_retry():
                    break
                tried.add(server.name)
                answer, again = await self._attempt(server.name, request, body)
            finally:
                self.balancer.release(server)
            if not again:
                break
        return answer

    async def _attempt(self, url: str, request: Request, body: bytes) -> tuple[Response, bool]:
        """Return an answer, and whether another server may be tried."""
        backend = self.backends[url]
        backend.requests += 1
        repeatable = request.method in _REPEATABLE
        query = request.scope["query_string"]
        path = request.scope["raw_path"] + (b"?" + query if query else b"")
        try:
            async with self._client.stream(
                request.method,
                httpx.URL(url).copy_with(raw_path=path),
                headers=_headers(request.headers.raw),
                content=body,
            ) as theirs:
                # Raw: a compressed answer is passed on as it is.
                content = b"".join([part async for part in theirs.aiter_raw()])
        except (httpx.ConnectError, httpx.ConnectTimeout):
            backend.failures += 1
            self._failed(backend, refused=True)
            return _problem(502, "The server could not be reached."), True
        except httpx.TimeoutException:
            backend.failures += 1
            self._failed(backend)
            return _problem(504, f"The server took longer than {self.timeout_s} s."), False
        except httpx.TransportError:
            backend.failures += 1
            self._failed(backend)
            return _problem(502, "The server broke off."), repeatable
        backend.failed_in_a_row = 0
        answer = Response(content, theirs.status_code)
        own = [] if request.method == "HEAD" else answer.raw_headers  # its length
        answer.raw_headers = [*_headers(theirs.headers.raw), *own]
        return answer, theirs.status_code == 503 and repeatable  # it is full, others may not be

    async def _status(self, request: Request) -> Response:
        active = {server.name: server.active for server in self.balancer.servers}
        rows = [{**vars(each), "active": active[url]} for url, each in self.backends.items()]
        return Response(json.dumps({"servers": rows}), media_type="application/json")


async def _body_of(request: Request) -> bytes | None:
    """Return the body, or None if it is too large; not more than that is ever held."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > _LARGEST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in raw if name.lower() not in _OF_THE_HOP]


def _problem(status: int, text: str) -> Response:
    headers = {"retry-after": "1"} if status == 503 else {}
    return Response(json.dumps({"error": text}), status, headers, media_type="application/json")
