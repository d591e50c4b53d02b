"""What an event must be, and what is done with one that is not: counted, set aside, never lost."""

import json
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from recsys_lib.online.stream.features import EVENT_ID, KIND, RATED, VIEW
from recsys_lib.schema import ITEM, RATING, TIMESTAMP, USER

MALFORMED, UNKNOWN, FUTURE, LATE, REPEATED = "malformed", "unknown", "future", "late", "repeated"
REASONS = (MALFORMED, UNKNOWN, FUTURE, LATE, REPEATED)
LONGEST_ID = 200  # signs
HIGHEST_RATING = 10.0  # stars
INT64 = 2**63


@dataclass(frozen=True)
class Sorted:
    """The lines of one batch.

    Attributes
    ----------
    accepted : list of dict
        The events that count, each once.
    set_aside : list of (reason, line)
    """

    accepted: list[dict] = field(default_factory=list)
    set_aside: list[tuple[str, str]] = field(default_factory=list)


class Rules:
    """Which events count.

    Parameters
    ----------
    item_ids : collection of int
        An event of another item is set aside. A user who is not known is a new user, and welcome.
    delay_s : float
        How much later than the newest event of the batches before an event may come.
    ahead_s : float
        How far the sender's clock may be ahead of ours.
    clock : function
        Returns the time in s since 1970.
    """

    def __init__(
        self,
        item_ids: Collection[int],
        *,
        delay_s: float = 3_600.0,
        ahead_s: float = 60.0,
        clock: Callable[[], float] = time.time,
    ):
        self.item_ids = item_ids
        self.delay_s, self.ahead_s, self.clock = delay_s, ahead_s, clock

    def sort(
        self, lines: Iterable[str], watermark: float, seen: Callable[[list[str]], Collection[str]]
    ) -> Sorted:
        """Return what counts of some lines, and what does not and why.

        The answer depends on which lines there are, not on their order.

        Parameters
        ----------
        lines : iterable of str
            JSON: ``event_id``, ``kind`` (rating or view), ``user_id``, ``item_id``, ``timestamp``
            in whole s since 1970, and of a rating ``rating`` in stars.
        watermark : float
            An event at or before this time is late.
        seen : function
            Returns those of some event ids that counted before.
        """
        found, latest = Sorted(), self.clock() + self.ahead_s
        hopeful: list[tuple[dict, str]] = []
        for line in sorted(lines):
            event = parsed(line)
            if event is None:
                found.set_aside.append((MALFORMED, line))
            elif event[ITEM] not in self.item_ids:
                found.set_aside.append((UNKNOWN, line))
            elif event[TIMESTAMP] > latest:
                found.set_aside.append((FUTURE, line))
            elif event[TIMESTAMP] <= watermark:
                found.set_aside.append((LATE, line))
            else:
                hopeful.append((event, line))
        known = set(seen([event[EVENT_ID] for event, _ in hopeful]))
        for event, line in hopeful:
            if event[EVENT_ID] in known:
                found.set_aside.append((REPEATED, line))
            else:
                known.add(event[EVENT_ID])
                found.accepted.append(event)
        return found


def parsed(line: str) -> dict | None:
    """Return the event of a line, or None where it is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, Mapping):
        return None
    whole = all(_is_int64(event.get(name)) for name in (USER, ITEM, TIMESTAMP))
    name, kind, rating = event.get(EVENT_ID), event.get(KIND), event.get(RATING)
    named = isinstance(name, str) and 0 < len(name) <= LONGEST_ID and name.isprintable()
    if not (whole and named and kind in (RATED, VIEW)):
        return None
    if kind == RATED:
        is_number = isinstance(rating, int | float) and not isinstance(rating, bool)
        if not is_number or not math.isfinite(rating) or not 0 <= rating <= HIGHEST_RATING:
            return None
    return {key: event[key] for key in (EVENT_ID, KIND, USER, ITEM, TIMESTAMP)} | {RATING: rating}


def _is_int64(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -INT64 < value < INT64
