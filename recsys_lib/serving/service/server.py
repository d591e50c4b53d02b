"""From parts to a listening process: what has to be opened, in which order, and closed again."""

import contextlib
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import uvicorn
from threadpoolctl import threadpool_limits

from recsys_lib import sockets
from recsys_lib.data import Dataset
from recsys_lib.errors import MachineError
from recsys_lib.rankers import UserFeatures
from recsys_lib.serving.caching import RedisLevel, TwoLevelCache
from recsys_lib.serving.degradation import AdaptiveLimit
from recsys_lib.serving.service.app import make_app
from recsys_lib.serving.service.asked import Settings
from recsys_lib.serving.service.features import TimedFeatures
from recsys_lib.serving.service.impressions import ImpressionLog
from recsys_lib.serving.service.journal import Journal
from recsys_lib.serving.service.parts import Parts
from recsys_lib.serving.service.redis_link import RedisLink, connect
from recsys_lib.serving.service.service import Service
from recsys_lib.stores import RedisFeatureStore

logger = logging.getLogger(__name__)

TURN_S = 0.0005
JOURNAL = "events.jsonl"
IMPRESSIONS = "impressions"


@contextlib.contextmanager
def open_service(
    data: Dataset,
    find_parts: Callable[[UserFeatures], tuple[Parts, pd.DataFrame | None]],
    folder: Path,
    redis_address: Callable[[], str],
    settings: Settings | None = None,
) -> Iterator[Service]:
    """Open a service: its journal and log, the link to Redis, and the lists made in advance.

    Parameters
    ----------
    data : Dataset
    find_parts : function
        Gets what reads the users' features, and returns the parts with the features themselves.
    folder : Path
        Of the journal and the impressions.
    redis_address : function
        Returns the address of Redis as it is now.
    settings : Settings, optional
    """
    settings = settings or Settings()
    client = connect(redis_address())
    store = RedisFeatureStore(client, prefix=f"service.{data.name}.user")
    features = TimedFeatures(store)
    parts, users = find_parts(features)
    level = RedisLevel(client, prefix=f"service.{data.name}.list")
    cache = TwoLevelCache(ttl_s=settings.ttl_s, shared=level, seed=os.getpid())
    link = RedisLink(redis_address, store, level, users, parts.feature_version).start()
    service = Service(
        data,
        parts,
        Journal(folder / JOURNAL),
        impressions=ImpressionLog(folder / IMPRESSIONS),
        cache=cache,
        features=features,
        settings=settings,
    )
    service.redis_is_up = lambda: link.up
    preparing = threading.Thread(target=service.prepare, name="prepare", daemon=True)
    preparing.start()
    try:
        yield service
    finally:
        preparing.join()
        link.stop()
        service.close()


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens at a host's port; 0 takes a free one.

    Raises
    ------
    MachineError
        The port is taken, or the host is not this machine.
    """
    try:
        return sockets.listening_socket(host, port)
    except OSError as error:
        raise MachineError(
            f"The service cannot listen at {host}:{port}: {error}. Name another --port, or 0 for a "
            "free one."
        ) from None


def web_server(app, lifespan: str = "off") -> uvicorn.Server:
    """Return the server of an application, yet to be run with its sockets.

    From here on, threads of this process take turns every half millisecond. With Python's usual
    five, a request that needs but a moment waits five milliseconds for each thread that computes.
    And products of matrices take one thread each: those of a request are small, and requests that
    share two cores lose five times their work to threads that wait for each other.
    """
    sys.setswitchinterval(TURN_S)
    threadpool_limits(1)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # an address may hold the token
            lifespan=lifespan,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
        )
    )


@contextlib.contextmanager
def serving(
    service: Service,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    token: str | None = None,
    limit: AdaptiveLimit | None = None,
) -> Iterator[str]:
    """Serve from a thread while the block runs; yield the address."""
    listening = listening_socket(host, port)
    web = web_server(make_app(service, token=token, limit=limit))
    thread = threading.Thread(
        target=web.run, kwargs={"sockets": [listening]}, name="web", daemon=True
    )
    thread.start()
    try:
        yield url_of(listening)
    finally:
        web.should_exit = True
        thread.join()
        listening.close()


def url_of(listening: socket.socket) -> str:
    """Return the address of a listening socket for a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
