"""Refreshing the committed outputs: ``python -m recsys_lib.experiments.regenerate [NOTEBOOK...]``.

The notebooks are run with their default parameters like any others; what their cells showed is
written back into the files under ``notebooks/``, without papermill's marks.
"""

import sys
from pathlib import Path

from recsys_lib import files, paths
from recsys_lib.errors import RecsysError
from recsys_lib.experiments.notebooks import discover
from recsys_lib.experiments.plan import make_plan
from recsys_lib.experiments.runner import run


def regenerate(wanted: list[str], folder: Path | None = None) -> list[Path]:
    """Run notebooks (none named: all) with their defaults and put the outputs into their files.

    Returns the paths of the files that were written.

    Raises
    ------
    RecsysError
        A notebook did not end well; nothing is written then.
    """
    plan = make_plan(discover(folder), wanted)
    result = run(plan)
    if result.failed:
        raise RecsysError(f"Not written back, because of: {', '.join(result.failed)}.")
    written = []
    for name, step in plan.steps.items():
        write_back(result.folder / name / "notebook.ipynb", step.notebook.path)
        written.append(step.notebook.path)
    return written


def write_back(executed: Path, source: Path) -> None:
    """Copy outputs and execution counts of ``executed`` into ``source``, cell by cell."""
    import nbformat

    done, notebook = nbformat.read(executed, as_version=4), nbformat.read(source, as_version=4)
    if [cell.source for cell in done.cells] != [cell.source for cell in notebook.cells]:
        raise RecsysError(f"{paths.shown(source)} changed while it ran; run again.")
    for old, new in zip(notebook.cells, done.cells, strict=True):
        if old.cell_type == "code":
            old.outputs, old.execution_count = new.outputs, new.execution_count
    files.write_text(source, nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    try:
        for path in regenerate(sys.argv[1:]):
            print(f"wrote {paths.shown(path)}")
    except RecsysError as error:
        sys.exit(str(error))
