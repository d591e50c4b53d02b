"""Showing how a run goes: on the terminal, and in its log."""

import logging
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recsys_lib import paths
from recsys_lib.experiments.scheduler import Outcome

_SECONDS_BETWEEN_LINES = 10


def error_lines(name: str, outcome: Outcome, run: Path) -> list[str]:
    """Return five lines on how a notebook failed."""
    error = outcome.error
    return [
        f"{name} failed after {outcome.seconds:.0f} s",
        f"  cell:  {error['cell'] or 'unknown'}",
        f"  error: {_one_line(error['error'])}",
        f"  code:  {_one_line(error['line'])}",
        f"  trace: {paths.shown(run / error['trace'])}",
    ]


def _one_line(text: str, width: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 3] + "..."


def summary(outcome: Outcome) -> str:
    """Return how a notebook ended, in a few words."""
    words = {
        "ok": f"done in {outcome.seconds:.0f} s",
        "reused": f"unchanged, reused from {outcome.source}",
        "skipped": "skipped, because a notebook it reads from has no results",
        "left out": "left out",
        "interrupted": "interrupted" if outcome.seconds else "not started",
        "failed": "failed",
    }
    return words[outcome.status]


class TerminalProgress:
    """A listener of the scheduler: live bars on a terminal, plain lines elsewhere, all logged."""

    def __init__(self, run: Path, console: Console | None = None):
        self.run = run
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._tasks: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._printed_at: dict[str, float] = {}
        self._log = logging.Logger("run")
        self._file = logging.FileHandler(run / "run.log", encoding="utf-8")
        self._file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._log.addHandler(self._file)

    def __enter__(self) -> "TerminalProgress":
        if self.console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self._bars.stop()
        self._file.close()

    def print_line(self, line: str) -> None:
        """Print a line above the bars, and log it."""
        self._log.info(line)
        self.console.print(line, markup=False)

    def started(self, name: str, n_cells: int) -> None:
        """Show a bar for a notebook that starts."""
        self._log.info("%s: started", name)
        self._sizes[name], self._printed_at[name] = n_cells, time.monotonic()
        if self.console.is_terminal:
            self._tasks[name] = self._bars.add_task(name, total=n_cells)
        else:
            self.console.print(f"{name}: started", markup=False)

    def cell(self, name: str, cell: int) -> None:
        """Move a notebook's bar; away from a terminal, say a line now and then."""
        text = f"{name}: cell {cell} of {self._sizes[name]}"
        self._log.info(text)
        if self.console.is_terminal:
            self._bars.update(self._tasks[name], completed=cell)
        elif time.monotonic() - self._printed_at[name] >= _SECONDS_BETWEEN_LINES:
            self._printed_at[name] = time.monotonic()
            self.console.print(text, markup=False)

    def ended(self, name: str, outcome: Outcome) -> None:
        """Take a notebook's bar away and say how it ended."""
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        if outcome.status == "failed":
            for line in error_lines(name, outcome, self.run):
                self.print_line(line)
        else:
            self.print_line(f"{name}: {summary(outcome)}")
