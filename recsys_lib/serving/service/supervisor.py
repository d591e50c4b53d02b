"""Several processes that answer, a balancer before them; one that dies is started anew."""

import contextlib
import logging
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from recsys_lib.errors import MachineError
from recsys_lib.serving.balancing.http import HttpBalancer
from recsys_lib.serving.service.server import web_server

logger = logging.getLogger(__name__)

START_S = 600.0  # that the first start may take, in which models may have to be built
LOOK_S = 0.25
STOP_S = 10.0


class Workers:
    """Processes of the service, each at a Unix socket of its own.

    Parameters
    ----------
    command : function
        Returns the command of a worker, given the path of its socket.
    n : int

    Attributes
    ----------
    sockets : dict of str to Path
    processes : dict of str to Popen
    """

    def __init__(self, command: Callable[[Path], Sequence[str]], n: int):
        # The path of a socket must be short, wherever temporary files lie.
        short = "/tmp" if Path("/tmp").is_dir() else None
        self._folder = tempfile.TemporaryDirectory(prefix="recsys-workers-", dir=short)
        self._command = command
        names = [f"worker-{number}" for number in range(1, n + 1)]
        self.sockets = {name: Path(self._folder.name) / f"{name}.sock" for name in names}
        self.processes: dict[str, subprocess.Popen] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="workers", daemon=True)

    def start(self) -> "Workers":
        """Start all, and wait until they listen.

        Raises
        ------
        MachineError
            A process ends instead.
        """
        for name in self.sockets:
            self._start(name)
        deadline = time.monotonic() + START_S
        while not all(path.exists() for path in self.sockets.values()):
            ended = [name for name, each in self.processes.items() if each.poll() is not None]
            if ended or time.monotonic() > deadline:
                self.stop()
                raise MachineError(
                    f"{', '.join(ended) or 'A worker'} did not start; its messages stand above."
                )
            time.sleep(0.05)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End all."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    def _start(self, name: str) -> None:
        self.sockets[name].unlink(missing_ok=True)
        command = list(self._command(self.sockets[name]))
        # In a session of its own: Ctrl-C ends this process, which then ends the workers.
        self.processes[name] = subprocess.Popen(command, start_new_session=True)

    def _keep(self) -> None:
        while not self._ended.wait(LOOK_S):
            for name, process in self.processes.items():
                if process.poll() is not None:
                    logger.warning("%s has ended (%s); it is started anew", name, process.poll())
                    self._start(name)


def run_balanced(workers: Workers, policy: str, listening: socket.socket) -> None:
    """Balance requests over workers that run, until Ctrl-C or SIGTERM."""
    # Workers answer to names of this machine alone (RFC 6761).
    sockets = {f"http://{name}.localhost": path for name, path in workers.sockets.items()}
    front = HttpBalancer(
        list(sockets),
        policy=policy,
        health_path="/ready",
        health_timeout_s=5.0,  # a busy process is no dead one
        sockets=sockets,
        shows_status=False,
    )
    web_server(front.app(), lifespan="on").run(sockets=[listening])


def end_with_parent(end: Callable[[], None]) -> None:
    """Call a function once the process that started this one is gone."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        with contextlib.suppress(Exception):
            end()

    threading.Thread(target=look, name="parent", daemon=True).start()
