"""Executing notebooks, in a process of their own: ``python -m recsys_lib.experiments.worker``.

Each task comes as one JSON line on standard input. What happens goes out as JSON lines on standard
output: ``{"event": "cell", ...}`` at each cell, and ``done``, ``failed`` or ``left out`` at the
end. Every notebook has a kernel of its own; what the process has imported serves the next one.
The process ends itself (and its kernel) when its standard input closes, so that nothing outlives
a runner that was killed.
"""

import functools
import json
import logging
import os
import queue
import re
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from recsys_lib import files
from recsys_lib.errors import NothingToJudge
from recsys_lib.experiments.html import write_html

SECONDS_BETWEEN_SAVES = 5.0


def main() -> None:
    """Read tasks, execute each notebook, report the outcome."""
    # A kernel inherits descriptors 1 and 2: what it prints there belongs into the log (2).
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tasks: queue.Queue = queue.Queue()
    threading.Thread(target=_read_tasks, args=(tasks,), daemon=True).start()

    def report(**event: Any) -> None:
        print(json.dumps(event), file=events, flush=True)

    logging.getLogger("papermill").setLevel(logging.ERROR)
    while True:
        task = tasks.get()
        failure = execute(Path(task["notebook"]), Path(task["folder"]), task["parameters"], report)
        report(**(failure or {"event": "done"}))


def execute(
    source: Path, folder: Path, parameters: dict[str, Any], report
) -> dict[str, Any] | None:
    """Execute ``source`` into ``folder`` as ``notebook.ipynb`` and ``notebook.html``.

    Returns None, the event of its failure (the cell, the error, the line of code, and the file
    with the whole trace), or the reason why the data set leaves it nothing to judge.
    """
    # Else papermill's imports build a grammar of URIs, which takes longer than all others together,
    # and load Arrow for files on Hadoop. Notebooks hold no URIs to check, and lie in a folder.
    for unused in ("rfc3987_syntax", "pyarrow"):
        sys.modules.setdefault(unused, None)
    import papermill
    from nbclient.exceptions import DeadKernelError
    from traitlets.config import Config

    _save_now_and_then()

    target = folder / "notebook.ipynb"
    reached = {"cell": 0, "source": ""}

    def on_cell_start(cell, cell_index: int) -> None:
        if cell.cell_type == "code":
            reached.update(cell=cell_index + 1, source=cell.source)
        report(event="cell", cell=cell_index + 1)

    failure = left_out = None
    try:
        # Else Jupyter would look for free ports, which others may take before the kernel does.
        with files.socket_folder("recsys-kernel-") as sockets:
            connection = {"transport": "ipc", "connection_file": f"{sockets}/kernel.json"}
            papermill.execute_notebook(
                source,
                target,
                parameters=parameters,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                on_cell_start=on_cell_start,
                config=Config({"KernelManager": connection}),
            )
    except papermill.PapermillExecutionError as error:
        trace = _plain("\n".join(error.traceback))
        if error.ename == NothingToJudge.__name__:
            left_out = {"event": "left out", "reason": _plain(error.evalue)}
        else:
            failure = {
                "error": f"{error.ename}: {_plain(error.evalue)}",
                "line": _failing_line(trace, error.source),
                "trace": trace,
            }
    except DeadKernelError:
        failure = {
            "error": "the kernel died (killed from outside, out of memory, or by native code)",
            "line": _first_line(reached["source"]),
            "trace": f"The kernel died in this cell:\n\n{reached['source']}\n",
        }
    except Exception as error:  # a kernel that does not start, a full disk
        failure = {
            "error": f"{type(error).__name__}: {error}",
            "line": _first_line(reached["source"]),
            "trace": traceback.format_exc(),
        }
    if failure:
        files.write_text(folder / "error.txt", failure.pop("trace"))
        failure |= {"event": "failed", "cell": reached["cell"], "trace": "error.txt"}
    if target.is_file():
        write_html(target)
    return failure or left_out


@functools.cache
def _save_now_and_then() -> None:
    """Let papermill write a notebook at its end, dead or alive, and every few seconds before.

    It would write all of it twice a cell, prose included, which takes longer than what most of the
    cells do.
    """
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, *args, **kwargs):
            write = nb_man.save

            def save() -> None:
                if (nb_man.now() - nb_man.last_save_time).total_seconds() > SECONDS_BETWEEN_SAVES:
                    write()

            nb_man.save = save
            try:
                return super().execute_managed_notebook(nb_man, *args, **kwargs)
            finally:
                nb_man.save = write

    papermill_engines.register(None, Engine)


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _failing_line(trace: str, source: str) -> str:
    """Return the cell's own line that the trace passed through: 'line 3: x = f(y)'."""
    match = re.search(r"Cell In\s*\[\d+\], line (\d+)", trace)
    lines = source.splitlines()
    if match and 0 < int(match.group(1)) <= len(lines):
        return f"line {match.group(1)}: {lines[int(match.group(1)) - 1].strip()}"
    return _first_line(source)


def _first_line(source: str) -> str:
    lines = source.strip().splitlines()
    return f"line 1: {lines[0].strip()}" if lines else ""


def _read_tasks(tasks: queue.Queue) -> None:
    import psutil

    for line in sys.stdin:
        tasks.put(json.loads(line))
    # Still here when the runner has let go of us: either all is done, or it is gone.
    for process in psutil.Process().children(recursive=True):
        process.kill()
    os._exit(1)


if __name__ == "__main__":
    main()
