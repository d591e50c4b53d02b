"""Answers as text: who asks for the same list within seconds gets it without it being made to JSON.

This stands before the two levels of the cache, which hold for as long as an answer may live and are
shared; here an answer lives for seconds, under the very bytes that asked for it. It is void with
the next event of its user, whatever process took it, because the journal tells of it.
"""

import json
import time
import uuid
from dataclasses import dataclass

from cachetools import TTLCache

from recsys_lib.serving.service.service import Service

PER_REQUEST = ("request_id", "source", "stages", "latency_ms")


@dataclass(frozen=True)
class _Text:
    """An answer without what differs between requests, as it was kept at a version."""

    user: str
    version: str
    answer: dict
    text: str


class Rendered:
    """Answers as text, by request.

    Parameters
    ----------
    service : Service
    size : int
        Requests whose answers are kept.
    ttl_s : float
        Seconds an answer is kept.
    """

    def __init__(self, service: Service, *, size: int = 10_000, ttl_s: float = 10.0):
        self.service = service
        self._kept: TTLCache[bytes, _Text] = TTLCache(size, ttl_s)

    def get(self, target: bytes) -> tuple[dict, str] | None:
        """Return an answer and its JSON, or None where none is kept that holds.

        Parameters
        ----------
        target : bytes
            Path and query, as they came.
        """
        started = time.perf_counter()
        kept = self._kept.get(target)
        if kept is None or kept.version != self.service.version_of(kept.user):
            return None
        latency_ms = 1e3 * (time.perf_counter() - started)
        own = {
            "request_id": uuid.uuid4().hex,
            "source": "memory",
            "stages": {"cache": latency_ms},
            "latency_ms": latency_ms,
        }
        answer = {**kept.answer, **own}
        self.service.cache.counts["memory"] += 1
        self.service.keep(answer)
        return answer, f"{json.dumps(own)[:-1]}, {kept.text[1:]}"

    def put(self, target: bytes, version: str, answer: dict, keep: bool = True) -> str:
        """Return the JSON of an answer, and keep it if it is as good as it should be."""
        own = {name: answer[name] for name in PER_REQUEST}
        rest = {name: value for name, value in answer.items() if name not in PER_REQUEST}
        text = json.dumps(rest)
        good = answer["level"] == answer["best_level"] and not answer["lost"]
        if good and keep:
            self._kept[target] = _Text(answer["user_id"], version, rest, text)
        return f"{json.dumps(own)[:-1]}, {text[1:]}"
