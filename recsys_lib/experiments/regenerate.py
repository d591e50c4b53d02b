"""Refreshing the committed outputs: ``python -m recsys_lib.experiments.regenerate [NOTEBOOK...]``.

Lessons are run with their default parameters like any others, labs (``--labs``) in the profile
``full``; what their cells showed is written back into the files under ``notebooks/``, without
papermill's marks.
"""

import sys
from pathlib import Path

from recsys_lib import files, paths
from recsys_lib.errors import RecsysError
from recsys_lib.experiments.notebooks import discover
from recsys_lib.experiments.plan import make_plan
from recsys_lib.experiments.runner import run


def regenerate(wanted: list[str], folder: Path | None = None, labs: bool = False) -> list[Path]:
    """Run lessons or labs (none named: all of them) and put the outputs into their files.

    Returns the paths of the files that were written.

    Raises
    ------
    RecsysError
        A notebook did not end well; nothing is written then.
    """
    profile = "full" if labs else "default"
    plan = make_plan(discover(folder), wanted, profile=profile, labs=labs)
    result = run(plan)
    if result.failed:
        raise RecsysError(f"Not written back, because of: {', '.join(result.failed)}.")
    written = []
    for name, step in plan.steps.items():
        write_back(result.folder / name / "notebook.ipynb", step.notebook.path)
        written.append(step.notebook.path)
    return written


def write_back(executed: Path, source: Path) -> None:
    """Copy the outputs of ``executed`` into ``source``, cell by cell, and count the cells anew."""
    import nbformat

    done, notebook = nbformat.read(executed, as_version=4), nbformat.read(source, as_version=4)
    # Values of a profile stand in a cell of papermill's, which the source does not have.
    cells = [c for c in done.cells if "injected-parameters" not in c.metadata.get("tags", [])]
    if [cell.source for cell in cells] != [cell.source for cell in notebook.cells]:
        raise RecsysError(f"{paths.shown(source)} changed while it ran; run again.")
    count = 0
    for old, new in zip(notebook.cells, cells, strict=True):
        if old.cell_type == "code":
            count += 1
            old.outputs, old.execution_count = new.outputs, count
            for output in old.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
    files.write_text(source, nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    try:
        names = [name for name in sys.argv[1:] if name != "--labs"]
        for path in regenerate(names, labs="--labs" in sys.argv):
            print(f"wrote {paths.shown(path)}")
    except RecsysError as error:
        sys.exit(str(error))
