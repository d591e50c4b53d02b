"""Running the steps of a plan side by side, in as many processes as run at a time."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

from recsys_lib import files
from recsys_lib.experiments.plan import Step

# One notebook with both TensorFlow and Spark takes 2 GB; the rest is a margin.
_BYTES_PER_JOB = 3 * 10**9
# A job takes one core, unless the environment says otherwise: products of matrices on two are no
# faster at this size, threads of two jobs wait for each other, and late digits depend on how many.
ONE_THREAD = {
    f"{kind}_THREADS": "1"
    for kind in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
}
ENDS = ("done", "failed", "left out")  # the events after which a process is free again


@dataclass
class Outcome:
    """How one notebook of a run ended.

    Attributes
    ----------
    status : str
        ``ok``, ``reused``, ``failed``, ``skipped`` (a notebook that it reads from has no results),
        ``left out`` (the data set leaves nothing to judge) or ``interrupted``.
    seconds : float
    error : dict
        Of a failed one: ``cell``, ``error``, ``line``, and ``trace``, the file with all of it.
    source : str or None
        The run in which a reused one was executed.
    reason : str
        Why one was left out.
    """

    status: str
    seconds: float = 0.0
    error: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    reason: str = ""


class Listener(Protocol):
    """Follows a run: called as each notebook starts, reaches a cell, and ends."""

    def started(self, name: str, n_cells: int) -> None: ...
    def cell(self, name: str, cell: int) -> None: ...
    def ended(self, name: str, outcome: Outcome) -> None: ...


def default_jobs() -> int:
    """Return how many notebooks this machine can run at a time: cores, and 3 GB for each."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, psutil.virtual_memory().available // _BYTES_PER_JOB))


class Scheduler:
    """Executes steps in the order of their needs, several at a time.

    Parameters
    ----------
    steps : mapping
        By the notebook's name, in an order in which they can run.
    folder : Path
        The folder of the run.
    jobs : int
        How many notebooks are executed at a time.
    listener : Listener
    outcomes : dict
        By the notebook's name. It may already hold steps reused from earlier runs. It is
        filled while the run goes on, so that it is right after an interruption, too.
    """

    def __init__(
        self,
        steps: Mapping[str, Step],
        folder: Path,
        jobs: int,
        listener: Listener,
        outcomes: dict[str, Outcome],
    ):
        self.steps, self.folder, self.jobs = steps, folder, jobs
        self.listener, self.outcomes = listener, outcomes
        self._events: queue.Queue = queue.Queue()
        self._running: dict[str, tuple[subprocess.Popen, float]] = {}
        self._idle: list[subprocess.Popen] = []

    def run(self) -> None:
        """Execute all that has no outcome yet. On KeyboardInterrupt the processes are ended."""
        try:
            self._start_what_can()
            while self._running:
                self._handle(*self._next_event())
                self._start_what_can()
        finally:
            for process in self._idle:
                with process:  # closes its input, at which it ends
                    pass
            for name in list(self._running):
                process, began = self._running.pop(name)
                _end_tree(process)
                self._ended(name, Outcome("interrupted", time.monotonic() - began))
            for name in self.steps:
                self.outcomes.setdefault(name, Outcome("interrupted"))

    def _start_what_can(self) -> None:
        for name, step in self.steps.items():
            if name in self.outcomes or name in self._running:
                continue
            waited_for = [self.outcomes.get(other) for other in step.needs]
            # After one that was left out the library builds what it would have written.
            if any(each and each.status in ("failed", "skipped") for each in waited_for):
                self._ended(name, Outcome("skipped"))
            elif all(waited_for) and len(self._running) < self.jobs:
                self._start(name)

    def _start(self, name: str) -> None:
        step = self.steps[name]
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        alive = [each for each in self._idle if each.poll() is None]
        self._idle = alive[1:]
        process = alive[0] if alive else self._new_process()
        task = {
            "notebook": str(step.notebook.path.resolve()),
            "folder": str(folder),
            "parameters": dict(step.changed),
        }
        self._running[name] = process, time.monotonic()
        threading.Thread(target=self._listen, args=(name, process), daemon=True).start()
        self.listener.started(name, len(step.notebook.cells))
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()

    def _new_process(self) -> subprocess.Popen:
        with open(self.folder / "native.log", "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "recsys_lib.experiments.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env=ONE_THREAD | os.environ | {"RECSYS_RUN_DIR": str(self.folder)},
                start_new_session=True,  # Ctrl-C reaches us alone, and we end it in order
            )

    def _listen(self, name: str, process: subprocess.Popen) -> None:
        """Pass on what a process says of one notebook, up to its end."""
        for line in process.stdout:
            event = json.loads(line)
            self._events.put((name, event))
            if event["event"] in ENDS:
                return
        # A process that was killed has sent no last event.
        self._events.put((name, {"event": "died", "code": process.wait()}))

    def _next_event(self) -> tuple[str, dict[str, Any]]:
        while True:
            try:
                # Waiting in short turns lets Ctrl-C through on every system.
                return self._events.get(timeout=0.5)
            except queue.Empty:
                continue

    def _handle(self, name: str, event: dict[str, Any]) -> None:
        if event["event"] == "cell":
            self.listener.cell(name, event["cell"])
            return
        process, began = self._running.pop(name)
        if event["event"] in ENDS:
            self._idle.append(process)
        seconds = time.monotonic() - began
        if event["event"] == "left out":
            self._ended(name, Outcome("left out", seconds, reason=event["reason"]))
            return
        error = self._error(name, event)
        if error:
            self._ended(name, Outcome("failed", seconds, error=error))
        else:
            self._record(name, seconds)
            self._ended(name, Outcome("ok", seconds))

    def _error(self, name: str, event: dict[str, Any]) -> dict[str, Any] | None:
        if event["event"] == "failed":
            keep = {key: event[key] for key in ("cell", "error", "line")}
            return keep | {"trace": f"{name}/{event['trace']}"}
        if event["event"] == "died":
            error = f"the process that executed it ended with code {event['code']}"
            return {"cell": None, "error": error, "line": "", "trace": "native.log"}
        for artefact in self.steps[name].notebook.writes:
            if not (self.folder / "artifacts" / artefact / "artifact.json").is_file():
                error = f"its code saves the artefact {artefact!r}, but this run never got there"
                return {"cell": None, "error": error, "line": "", "trace": "run.log"}
        return None

    def _record(self, name: str, seconds: float) -> None:
        step = self.steps[name]
        record = {
            "fingerprint": step.fingerprint,
            "run": self.folder.name,
            "seconds": round(seconds, 2),
            "parameters": step.parameters,
        }
        files.write_json(self.folder / name / "record.json", record)

    def _ended(self, name: str, outcome: Outcome) -> None:
        self.outcomes[name] = outcome
        self.listener.ended(name, outcome)


def _end_tree(process: subprocess.Popen) -> None:
    """End a process with all it started: the kernel, and what that started (Java, Redis)."""
    try:
        tree = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        tree = []
    process.kill()
    for each in tree:
        try:
            each.terminate()
        except psutil.NoSuchProcess:
            continue
    for stubborn in psutil.wait_procs(tree, timeout=3)[1]:
        stubborn.kill()
    process.wait()
