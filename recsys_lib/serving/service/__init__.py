"""The online service that a person opens in a browser: HTTP, a page, and what keeps it up (S21)."""

from recsys_lib.serving.service.asked import LEVELS, Asked, NoSuch, Settings
from recsys_lib.serving.service.impressions import ImpressionLog, read_impressions
from recsys_lib.serving.service.journal import Event, Journal
from recsys_lib.serving.service.parts import Parts, Ranking
from recsys_lib.serving.service.service import Service

__all__ = [
    "LEVELS",
    "Asked",
    "Event",
    "ImpressionLog",
    "Journal",
    "NoSuch",
    "Parts",
    "Ranking",
    "Service",
    "Settings",
    "read_impressions",
]
