"""What people do while the service runs: kept in a file before the answer, read by all processes.

The file is the truth. Every process looks, before it answers, whether the file has grown, and reads
what is new; so the next answer knows of an event whichever process took it, with or without Redis,
and after a restart of everything.
"""

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a user did.

    Attributes
    ----------
    user : str
        The person's id, as text.
    kind : {"rating", "dismissal", "reset"}
        ``reset`` takes all earlier events of the user back.
    item : str
        Empty for ``reset``.
    rating : float or None
        In stars.
    at : float
        In s since 1970.
    """

    user: str
    kind: Literal["rating", "dismissal", "reset"]
    item: str = ""
    rating: float | None = None
    at: float = 0.0


class Journal:
    """Events as JSON lines in one file that several processes append to.

    Parameters
    ----------
    path : Path
    clock : function
        Returns the time in s since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time):
        self.path = Path(path)
        self.clock = clock
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._read = 0  # bytes
        self._events: defaultdict[str, list[Event]] = defaultdict(list)
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._end_torn_line()

    def append(self, event: Event) -> Event:
        """Keep an event; when this returns, it is on the disk and the next answer knows of it."""
        event = Event(**{**asdict(event), "at": self.clock()})
        line = json.dumps(asdict(event)).encode() + b"\n"
        # One write in append mode: lines of several processes do not mix.
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError(f"{self.path.name} took {written} of {len(line)} bytes: disk full?")
        os.fsync(self._file)
        self.refresh()
        return event

    def refresh(self) -> None:
        """Read what has been appended since, by this process or another."""
        if os.fstat(self._file).st_size == self._read:
            return
        with self._lock:
            size = os.fstat(self._file).st_size
            text = os.pread(self._file, size - self._read, self._read)
            whole = text[: text.rfind(b"\n") + 1]  # the last line may be half written
            self._read += len(whole)
            for line in whole.splitlines():
                self._take(line)

    def of_user(self, user: str) -> list[Event]:
        """Return the events of a user that hold, the oldest first."""
        self.refresh()
        return list(self._events.get(user, ()))

    def count(self, user: str) -> int:
        """Return how many events of a user there have been: it grows with each of them."""
        self.refresh()
        return self._counts.get(user, 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _take(self, line: bytes) -> None:
        try:
            event = Event(**json.loads(line))
        except (ValueError, TypeError):
            return  # a line that a crash tore
        if event.kind == "reset":
            self._events.pop(event.user, None)
        else:
            self._events[event.user].append(event)
        self._counts[event.user] += 1

    def _end_torn_line(self) -> None:
        """End a line that a crash left half written, so that the next one is whole."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")
