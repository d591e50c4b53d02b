"""Notebooks whose exercises are done: after each check, the solution and the check once more."""

import ast
import copy
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

# What a solution shows is not in the committed notebook.
NOT_COMPARED = {"tags": ["nbval-ignore-output"]}


def solve_all(notebooks: Path, folder: Path) -> None:
    """Write all notebooks to a folder, with the solutions of their exercises.

    The cells stand as they are, so that an untouched exercise runs too. Its answer is None, which
    every check lets pass; so the solution follows the check, and then the same check.
    """
    for path in notebooks.glob("[0-9]*.ipynb"):
        read = nbformat.read(path, as_version=4)
        solutions = notebooks / "solutions" / f"{path.stem}.py"
        if solutions.exists():
            read.cells = solved_cells(read.cells, solutions.read_text())
        nbformat.write(read, folder / path.name)


def solved_cells(cells: list, solutions: str) -> list:
    """Return cells, and among them the solutions, each after the check of its exercise."""
    answers, imports = definitions(solutions), imports_of(solutions)
    left, found, waiting = set(answers), [], []
    for cell in cells:
        found.append(cell)
        if cell.cell_type != "code":
            continue
        source = cell.source
        for name, given in definitions(cell.source).items():
            if name in left and given.endswith(("return None", f"{name} = None")):
                source = source.replace(given, answers[name])
                left.remove(name)
            elif not given.startswith("def "):  # a value that the notebook gives itself
                left.discard(name)
        if source != cell.source:
            waiting.append(new_code_cell(imports + source, metadata=NOT_COMPARED))
        elif waiting:
            check = copy.deepcopy(cell)
            check.id, check.metadata = f"{cell.id}-solved", NOT_COMPARED
            found += [*waiting, check]
            waiting = []
    assert not left, f"{left}: every solution answers a cell of the notebook"
    assert not waiting, "every exercise is followed by its check"
    return found


def definitions(source: str) -> dict[str, str]:
    """Return the source of each function, and of each value given to a name, by its name."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = ast.get_source_segment(source, node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.get_source_segment(source, node)
    return found


def imports_of(source: str) -> str:
    nodes = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
    return "".join(f"{ast.unparse(node)}\n" for node in nodes)
