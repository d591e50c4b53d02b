"""The service's figures for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from recsys_lib.serving.service.asked import LEVELS
from recsys_lib.serving.service.service import Service

STATES = ("closed", "half_open", "open")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    """Counts requests and answers of one process.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service):
        self.service = service
        self.registry = CollectorRegistry()
        own = {"registry": self.registry}
        self._requests = Counter(
            "recsys_requests", "HTTP requests.", ["method", "route", "status"], **own
        )
        self._request_s = Histogram(
            "recsys_request_seconds", "From request to answer.", ["route"], buckets=SECONDS, **own
        )
        self._answers = Counter(
            "recsys_answers", "Lists by level and by what made them.", ["level", "source"], **own
        )
        self._stage_s = Histogram(
            "recsys_stage_seconds", "Stages of a list.", ["stage"], buckets=SECONDS, **own
        )
        self._shed = Counter("recsys_shed", "Requests that were refused.", **own)
        self._events = Counter("recsys_events", "Events that were taken.", ["kind"], **own)
        self._gauge("recsys_cache_hit_ratio", "Answers not computed.", lambda: self._hit_rate())
        self._gauge("recsys_active", "Lists under way.", lambda: service.active)
        self._gauge("recsys_impressions_dropped", "Lost log lines.", lambda: self._dropped())
        breakers = Gauge("recsys_breaker_state", "0 closed, 1 half open, 2 open.", ["level"], **own)
        for level in LEVELS[:-1]:
            breakers.labels(level).set_function(lambda level=level: self._state(level))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_s.labels(route).observe(seconds)

    def answer(self, answer: dict) -> None:
        """Count a list."""
        self._answers.labels(answer["level"], answer["source"]).inc()
        for stage, ms in answer["stages"].items():
            self._stage_s.labels(stage).observe(ms / 1e3)

    def shed(self) -> None:
        """Count a request that was refused."""
        self._shed.inc()
        self.service.shed += 1

    def event(self, kind: str) -> None:
        """Count an event."""
        self._events.labels(kind).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, meaning: str, value) -> None:
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def _hit_rate(self) -> float:
        return self.service.cache.hit_rate

    def _dropped(self) -> float:
        log = self.service.impressions
        return 0 if log is None else log.dropped

    def _state(self, level: str) -> float:
        breaker = self.service.breakers.get(level)
        return 0 if breaker is None else STATES.index(breaker.state)
