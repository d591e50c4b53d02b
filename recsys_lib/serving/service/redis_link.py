"""The service's Redis: started again when it dies, filled again when it is empty."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from recsys_lib import files
from recsys_lib.errors import RecsysError
from recsys_lib.serving.caching import RedisLevel
from recsys_lib.serving.service.watch import Watch
from recsys_lib.stores import RedisFeatureStore, RedisServer, RemoteRedis, StoreUnavailable

logger = logging.getLogger(__name__)

LOOK_S = 0.25  # between two looks
TIMEOUT_S = 0.1  # a request waits for Redis so long at most


class RedisKeeper:
    """Keeps a Redis server running, and writes down where it is.

    Parameters
    ----------
    address : Path
        File that names the server's socket; the processes of the service read it.

    Attributes
    ----------
    server : RedisServer
    """

    def __init__(self, address: Path):
        self.address = address
        self.server = RedisServer()
        self.watch = Watch(self._look, LOOK_S, "redis keeper")

    def start(self) -> "RedisKeeper":
        """Start the server, and look after it."""
        self._start()
        self.watch.start()
        return self

    def stop(self) -> None:
        """Stop the server."""
        self.watch.stop()
        self.server.stop()

    def _start(self) -> None:
        self.server.start()
        files.write_text(self.address, f"unix://{self.server.socket_}")

    def _look(self) -> None:
        if self.server.process_.poll() is None:
            return
        logger.warning("Redis has ended; another one is started")
        try:
            self.server.stop()  # removes its folder
            self.server = RedisServer()
            self._start()
        except (RecsysError, OSError) as error:
            logger.warning("Redis does not start: %s", error)


class RedisLink:
    """Connects a process of the service with Redis, and connects it again.

    Parameters
    ----------
    address : function
        Returns the address of Redis as it is now.
    store : RedisFeatureStore
    level : RedisLevel
        The second level of the cache.
    users : DataFrame, optional
        The users' features, published where Redis has none.
    version : str
        Of these features.
    """

    def __init__(
        self,
        address: Callable[[], str],
        store: RedisFeatureStore,
        level: RedisLevel,
        users: pd.DataFrame | None,
        version: str,
    ):
        self.address = address
        self.store = store
        self.level = level
        self.users = users
        self.version = version
        self.up = False
        self._connected = ""
        self._watch = Watch(self._look, LOOK_S, "redis link")

    def start(self) -> "RedisLink":
        """Connect, and look on from now on."""
        self._look()
        self._watch.start()
        return self

    def stop(self) -> None:
        """End."""
        self._watch.stop()

    def _look(self) -> None:
        try:
            now = self.address()
            if now != self._connected:
                self.store.client = self.level.client = connect(now)
                self._connected = now
            current = self.store.current()
            if self.users is not None and (current is None or current.name != self.version):
                self.store.publish(self.users, self.version)
            self.up = True
        except (StoreUnavailable, OSError):
            self.up = False
        except RecsysError as error:  # another process is publishing, or has done so
            logger.info("features were not published: %s", error)


def connect(address: str):
    """Return a client of the Redis at an address, that waits but a moment."""
    return RemoteRedis(address).client(TIMEOUT_S)


@contextlib.contextmanager
def kept_redis(folder: Path):
    """Run a Redis of one's own while the block runs; yield the file with its address."""
    keeper = RedisKeeper(folder / "redis.address").start()
    try:
        yield keeper.address
    finally:
        keeper.stop()
