"""The users' features as the rankers of the service read them, with the time it takes."""

import threading
import time

from recsys_lib.rankers import UserFeatures


class TimedFeatures:
    """Reads users' features, and remembers how long that took on this thread.

    Parameters
    ----------
    store : UserFeatures
        Such as a feature store in Redis.
    """

    def __init__(self, store: UserFeatures):
        self.store = store
        self._of_thread = threading.local()

    def read(self, user_id: int) -> dict | None:
        """Return the features of a user; errors are those of the store."""
        started = time.perf_counter()
        try:
            return self.store.read(user_id)
        finally:
            self._of_thread.ms = 1e3 * (time.perf_counter() - started)

    def last_ms(self) -> float | None:
        """Return the milliseconds of this thread's last reading, once."""
        return vars(self._of_thread).pop("ms", None)
