"""The solutions of a chapter's exercises pass its checks, in the notebook itself."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from recsys_lib import paths
from recsys_lib.experiments.notebooks import read_notebook

SOLUTIONS = sorted((paths.notebooks_dir() / "solutions").glob("[0-9]*.py"))


def answers(source: str) -> dict[str, str]:
    """Return the source of each function, and of each value given to a name, by its name."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = ast.get_source_segment(source, node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.get_source_segment(source, node)
    return found


def imports(source: str) -> str:
    nodes = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
    return "".join(f"{ast.unparse(node)}\n" for node in nodes)


# After the lessons as they stand, whose samples, vectors and models are loaded here.
@pytest.mark.xdist_group("nbval samples")
@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_pass_the_checks(path: Path, ml_100k, shared_outputs, monkeypatch):
    monkeypatch.setenv("RECSYS_OUTPUTS_DIR", shared_outputs)
    file = paths.notebooks_dir() / f"{path.stem}.ipynb"
    notebook, solved = nbformat.read(file, as_version=4), answers(path.read_text())
    small = read_notebook(file).profiles["quick"]
    left = set(solved)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if "parameters" in cell.metadata.get("tags", []):
                cell.source += "".join(f"\n{name} = {value!r}" for name, value in small.items())
            for name, untouched in answers(cell.source).items():
                # The answer of an untouched cell is None, which passes: it must be replaced.
                if name in left and untouched.endswith(("return None", f"{name} = None")):
                    replaced = cell.source.replace(untouched, solved[name])
                    cell.source = imports(path.read_text()) + replaced
                    left.remove(name)
                elif not untouched.startswith("def "):  # a value that the notebook gives itself
                    left.discard(name)
    assert left == set(), "every solution answers a cell of the notebook"
    where = {"metadata": {"path": str(paths.notebooks_dir())}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where).execute()
