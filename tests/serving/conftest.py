"""The fixtures of the small service."""

from small_service import *  # noqa: F403
