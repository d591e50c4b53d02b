"""Answers as text: who asks for the same list within seconds gets it without it being made to JSON.

This stands before the two levels of the cache, which hold for as long as an answer may live and are
shared; here an answer lives for seconds. It is void with the next event of its user, whatever
process took it, because the journal tells of it.
"""

import json
import time
import uuid
from dataclasses import dataclass

from cachetools import TTLCache

from recsys_lib.serving.service.asked import Asked
from recsys_lib.serving.service.service import Service

PER_REQUEST = ("request_id", "source", "stages", "latency_ms")


@dataclass(frozen=True)
class _Text:
    """An answer without what differs between requests, as it was kept at a version."""

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
        self._kept: TTLCache[Asked, _Text] = TTLCache(size, ttl_s)

    def get(self, asked: Asked) -> tuple[dict, str] | None:
        """Return an answer and its JSON, or None where none is kept that holds."""
        started = time.perf_counter()
        kept = self._kept.get(asked)
        if kept is None or kept.version != self.service.version_of(asked.user):
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

    def put(self, asked: Asked, version: str, answer: dict) -> str:
        """Keep an answer that is as good as it should be, and return its JSON."""
        own = {name: answer[name] for name in PER_REQUEST}
        rest = {name: value for name, value in answer.items() if name not in PER_REQUEST}
        text = json.dumps(rest)
        good = answer["level"] == answer["best_level"] and not answer["lost"]
        if good and "cache" not in asked.off:
            self._kept[asked] = _Text(version, rest, text)
        return f"{json.dumps(own)[:-1]}, {text[1:]}"
