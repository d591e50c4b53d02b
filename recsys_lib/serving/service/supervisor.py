"""Several processes that answer, a balancer before them; one that dies is started anew."""

import contextlib
import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

from recsys_lib.errors import MachineError
from recsys_lib.serving.balancing.http import HttpBalancer
from recsys_lib.serving.service.guard import Guard
from recsys_lib.serving.service.server import web_server
from recsys_lib.serving.service.watch import Watch

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
START_S = 600.0  # that the first start may take, in which models may have to be built
LOOK_S = 0.25
STOP_S = 10.0


class Workers:
    """Processes of the service, each at a port of its own that no other machine reaches.

    Parameters
    ----------
    command : function
        Returns the command of a worker, given its port.
    n : int

    Attributes
    ----------
    ports : list of int
    processes : dict of int to Popen
        By port.
    """

    def __init__(self, command: Callable[[int], Sequence[str]], n: int):
        self._command = command
        self.ports = _free_ports(n)
        self.processes: dict[int, subprocess.Popen] = {}
        self._watch = Watch(self._look, LOOK_S, "workers")

    @property
    def urls(self) -> list[str]:
        """Where they listen."""
        return [f"http://{HOST}:{port}" for port in self.ports]

    def start(self) -> "Workers":
        """Start all, and wait until they listen.

        Raises
        ------
        MachineError
            A process ends instead.
        """
        for port in self.ports:
            self._start(port)
        deadline = time.monotonic() + START_S
        while not all(map(_listens, self.ports)):
            ended = any(each.poll() is not None for each in self.processes.values())
            if ended or time.monotonic() > deadline:
                self.stop()
                raise MachineError("A process did not start; what it says stands above.")
            time.sleep(0.05)
        self._watch.start()
        return self

    def stop(self) -> None:
        """End all."""
        self._watch.stop()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, port: int) -> None:
        # In a session of its own: Ctrl-C ends this process, which then ends the workers.
        self.processes[port] = subprocess.Popen(self._command(port), start_new_session=True)

    def _look(self) -> None:
        for port, process in self.processes.items():
            if process.poll() is not None:
                logger.warning("a process ended (%s); it is started anew", process.poll())
                self._start(port)


def run_balanced(workers: Workers, policy: str, listening, token: str | None) -> None:
    """Balance requests over workers that run, until Ctrl-C or SIGTERM."""
    balanced = HttpBalancer(
        workers.urls,
        policy=policy,
        health_path="/ready",
        health_every_s=0.5,
        health_timeout_s=5.0,  # a busy process is no dead one
    )
    # The balancer names the workers in what it passes on, so who asks is looked at here.
    web_server(Guard(balanced.app(), token=token), lifespan="on").run(sockets=[listening])


def end_with_parent(end: Callable[[], None]) -> None:
    """Call a function once the process that started this one is gone."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        end()

    threading.Thread(target=look, name="parent", daemon=True).start()


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0
