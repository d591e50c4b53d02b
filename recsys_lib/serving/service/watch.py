"""Something that is looked at every so often, for as long as the service runs."""

import threading
from collections.abc import Callable
from typing import Self


class Watch:
    """Calls a function at equal pauses on a thread of its own.

    Parameters
    ----------
    look : function
        Must not raise: the first error ends the watch.
    every_s : float
        Seconds from the end of one call to the next.
    name : str
        Of the thread.
    """

    def __init__(self, look: Callable[[], None], every_s: float, name: str):
        self._look = look
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> Self:
        """Begin, with a pause."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, once a call that runs is over."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            self._look()
