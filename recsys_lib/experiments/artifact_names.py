"""Which artefacts a notebook reads and writes, found in its code without running it."""

import ast
from collections.abc import Iterable, Iterator

from recsys_lib.errors import RecsysError

WORKSPACE = "run"  # what every notebook calls the workspace it opens


def find_reads_and_writes(cells: Iterable[tuple[int, str]]) -> tuple[tuple, tuple]:
    """Return the names that ``run.load("name")`` and ``run.save("name", ...)`` speak of.

    What a notebook has saved before it loads it is its own and no read.

    Parameters
    ----------
    cells : iterable of (int, str)
        Number and source of each code cell, in the order of the notebook.

    Returns
    -------
    reads, writes : tuple of str
        In the order in which they come.

    Raises
    ------
    RecsysError
        A cell is not Python, or uses ``run.load`` or ``run.save`` in a way that hides the name.
    """
    reads: list[str] = []
    writes: list[str] = []
    for number, source in cells:
        try:
            for method, name in _uses(_parse(source)):
                if method == "save":
                    writes.append(name)
                elif name not in writes:
                    reads.append(name)
        except (SyntaxError, ValueError) as error:
            raise RecsysError(f"cell {number}: {error}") from None
    return tuple(dict.fromkeys(reads)), tuple(dict.fromkeys(writes))


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        # Magics and shell commands are Python only after IPython has rewritten them.
        from IPython.core.inputtransformer2 import TransformerManager

        return ast.parse(TransformerManager().transform_cell(source))


def _uses(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield (method, name) of each call, in the order in which one after another ends."""
    nodes = list(ast.walk(tree))
    calls = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
    found = []
    for node in filter(_is_load_or_save, nodes):
        match calls.get(id(node)):
            case ast.Call(args=[ast.Constant(value=str(name)), *_]) as call:
                found.append((call.end_lineno, call.end_col_offset, node.attr, name))
            case _:
                raise ValueError(
                    f'write {WORKSPACE}.{node.attr}("name of the artefact") with the name itself, '
                    "not a variable or an alias: the runner reads it from the code"
                )
    yield from ((method, name) for _, _, method, name in sorted(found))


def _is_load_or_save(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr="load" | "save"):
            return owner == WORKSPACE
    return False
