"""Degradation (服务降级): what a service does when it can't do its best in time (S21)."""

from recsys_lib.serving.degradation.breaker import CircuitBreaker
from recsys_lib.serving.degradation.concurrency import AdaptiveLimit
from recsys_lib.serving.degradation.ladder import Answered, Ladder, Overloaded, Rung
from recsys_lib.serving.degradation.retries import RetryBudget, backoff_s, call_with_retries
from recsys_lib.serving.degradation.throttle import AdaptiveThrottle

__all__ = [
    "AdaptiveLimit",
    "AdaptiveThrottle",
    "Answered",
    "CircuitBreaker",
    "Ladder",
    "Overloaded",
    "RetryBudget",
    "Rung",
    "backoff_s",
    "call_with_retries",
]
