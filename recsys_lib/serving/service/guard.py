"""What every request passes: who may ask, how much may be sent, and what headers an answer has."""

import hmac
import ipaddress
import json
import logging
import time
import uuid
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from recsys_lib.errors import RecsysError
from recsys_lib.serving.service.metrics import Metrics
from recsys_lib.serving.service.rendered import Rendered

logger = logging.getLogger(__name__)

LONGEST_BODY = 4_096  # bytes
LONGEST_TARGET = 2_048  # bytes of path and query
LISTS = "/api/users/{user_id}/recommendations"  # what is kept as text
OPEN = ("/health", "/ready")  # for those who look after processes
COOKIE = "recsys_token"
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def check_exposure(host: str, token: str | None) -> None:
    """Raise :class:`RecsysError` where other machines could ask without a token."""
    if not is_loopback(host) and not token:
        raise RecsysError(
            f"Other machines can reach {host}, so a token is needed: give one with --token or in "
            "the environment variable RECSYS_TOKEN, or listen on 127.0.0.1."
        )
    if token is not None and not (16 <= len(token) <= 256 and token.isascii()):
        raise RecsysError("A token has 16 to 256 characters, all of them ASCII.")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, as seen by itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware.

    Without a token, only requests to a loopback name are answered, so that no page of another
    site can reach the service under a name of its own (DNS rebinding). With one, all but
    ``/health`` need it: as ``Authorization: Bearer``, or as the cookie that ``/?token=`` sets.

    Parameters
    ----------
    app : ASGI application
    metrics : Metrics, optional
    token : str, optional
    rendered : Rendered, optional
        Answers that are given again, past the application.
    """

    def __init__(
        self,
        app,
        metrics: Metrics | None = None,
        token: str | None = None,
        rendered: Rendered | None = None,
    ):
        self.app = app
        self.rendered = rendered
        self.metrics = metrics
        self.token = token

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), [0]
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def guarded(message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                known = {name.lower() for name, _ in message["headers"]}
                extra = {**HEADERS, "x-request-id": request_id, "cache-control": "no-store"}
                more = [(n.encode(), v.encode()) for n, v in extra.items()]
                more = [(name, value) for name, value in more if name not in known]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        headers = {n.decode("latin-1"): v.decode("latin-1") for n, v in scope["headers"]}
        refusal, kept = self._refusal(scope, headers), None
        if self.rendered and not refusal and scope["method"] == "GET":
            kept = self.rendered.get(target_of(scope))
        try:
            if refusal:
                await _answer(guarded, *refusal)
            elif kept:
                self.metrics.answer(kept[0])
                await _send(guarded, 200, kept[1].encode())
            else:
                await self.app(scope, receive, guarded)
        except Exception:
            logger.exception("%s failed", scope["path"])
            if not status[0]:
                await _answer(guarded, 500, "The service failed; its log says why.")
        finally:
            route = getattr(scope.get("route"), "path", LISTS if kept else "other")
            seconds = time.perf_counter() - started
            if self.metrics is not None:
                self.metrics.request(scope["method"], route, status[0], seconds)

    def _refusal(self, scope, headers: dict[str, str]) -> tuple | None:
        """Return status, message and further headers where a request is not let through."""
        target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        if target > LONGEST_TARGET:
            return 414, f"The address has {target} bytes; at most {LONGEST_TARGET} are read."
        if scope["method"] in ("POST", "PUT", "PATCH", "DELETE"):
            refusal = _body_refusal(scope["method"], headers)
            if refusal:
                return refusal
        if self.token is None:
            host = headers.get("host", "").rsplit(":", 1)[0]
            if not is_loopback(host):
                return 421, "This service answers only to localhost. Start it with a token."
            return None
        if scope["path"] in OPEN:
            return None
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and asked and self._is_token(asked):
            cookie = f"{COOKIE}={asked}; HttpOnly; SameSite=Strict; Path=/"
            return 303, "", {"location": "/", "set-cookie": cookie}
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if self._is_token(bearer) or self._is_token(_cookie(headers.get("cookie", ""))):
            return None
        return 401, "A token is needed.", {"www-authenticate": "Bearer"}

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())


def _body_refusal(method: str, headers: dict[str, str]) -> tuple | None:
    # Browsers say where a request comes from; other sites may not make the user rate.
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return 403, "Requests of other sites are not taken."
    length = headers.get("content-length")
    if length is None and method == "DELETE" and "transfer-encoding" not in headers:
        return None
    if length is None or not length.isdecimal():
        return 411, "Say how long the body is (Content-Length)."
    if int(length) > LONGEST_BODY:
        return 413, f"The body has {int(length)} bytes; at most {LONGEST_BODY} are read."
    if int(length) and headers.get("content-type", "").split(";")[0].strip() != "application/json":
        return 415, "The body must be JSON (Content-Type: application/json)."
    return None


def _cookie(text: str) -> str:
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def target_of(scope) -> bytes:
    """Return path and query as they came."""
    return (scope.get("raw_path") or b"") + b"?" + scope["query_string"]


async def _answer(send, status: int, message: str, headers: dict[str, str] | None = None) -> None:
    body = json.dumps({"error": message}).encode() if message else b""
    await _send(send, status, body, headers)


async def _send(send, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    given = {"content-type": "application/json", "content-length": str(len(body))}
    given |= headers or {}
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [(n.encode(), v.encode()) for n, v in given.items()]})
    await send({"type": "http.response.body", "body": body})
