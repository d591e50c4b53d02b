"""What the notebooks declare, read from their files without running them."""

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from recsys_lib import paths
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.experiments.artifact_names import find_reads_and_writes
from recsys_lib.experiments.parameters import Parameter, parse_parameters


@dataclass(frozen=True)
class Notebook:
    """A numbered notebook: what its code declares, and its cells.

    Attributes
    ----------
    name, title : str
    path : Path
    parameters : mapping
        By name, what the cell tagged ``parameters`` declares.
    reads, writes : tuple of str
        Names of the artefacts that its code loads and saves.
    profiles : mapping
        By name, the values of parameters for a smaller or larger run, from the cell tagged
        ``profiles``.
    cells : tuple of (type, source)
        Without outputs.
    """

    name: str
    path: Path
    title: str
    parameters: Mapping[str, Parameter]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    profiles: Mapping[str, Mapping[str, Any]]
    cells: tuple[tuple[str, str], ...]

    @property
    def is_lab(self) -> bool:
        """Whether it holds the evidence of its chapter (``03_lab_item2vec``); else it teaches."""
        return "_lab_" in self.name

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of all parameters: the given ones, else the notebook's own."""
        return {name: each.default for name, each in self.parameters.items()} | dict(given)


def discover(folder: Path | None = None) -> list[Notebook]:
    """Return all notebooks of a folder (default: the project's), by name.

    Raises
    ------
    RecsysError
        The folder holds no notebook, or one that can't be understood.
    """
    folder = Path(folder) if folder else paths.notebooks_dir()
    found = [read_notebook(path) for path in sorted(folder.glob("[0-9]*.ipynb"))]
    if not found:
        raise RecsysError(f"No numbered notebooks in {paths.shown(folder)}.")
    return found


def read_notebook(path: Path) -> Notebook:
    """Parse one notebook file.

    Raises
    ------
    RecsysError
        Not a notebook; its cell tagged ``parameters`` or ``profiles`` is missing or not literal;
        or the code hides the name of an artefact.
    """
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        raise RecsysError(f"{paths.shown(path)} is not a notebook in nbformat 4.") from None
    sources = ["".join(cell["source"]) for cell in raw]
    try:
        parameters = parse_parameters(_tagged(raw, sources, "parameters"))
        profiles = _parse_profiles(_tagged(raw, sources, "profiles"))
        _check_profiles(profiles, {each.name: each for each in parameters})
        reads, writes = find_reads_and_writes(
            (number, source)
            for number, (cell, source) in enumerate(zip(raw, sources, strict=True), start=1)
            if cell["cell_type"] == "code"
        )
    except RecsysError as error:
        raise RecsysError(f"{paths.shown(path)}: {error}.") from None
    return Notebook(
        name=Path(path).stem,
        path=Path(path),
        title=_title(raw, sources) or Path(path).stem,
        parameters=MappingProxyType({each.name: each for each in parameters}),
        reads=reads,
        writes=writes,
        profiles=MappingProxyType(profiles),
        cells=tuple((cell["cell_type"], source) for cell, source in zip(raw, sources, strict=True)),
    )


def select(
    notebooks: Sequence[Notebook], wanted: Iterable[str], labs: bool = False
) -> list[Notebook]:
    """Return the notebooks named: in full (``03_item2vec``), or by number (``03``).

    A number stands for the lesson, or with ``labs`` for the lab; so does no name at all, which
    stands for all of them.

    Raises
    ------
    RecsysError
        A name fits none of them; the nearest right one is said.
    """
    chosen = {}
    of_kind = [each for each in notebooks if each.is_lab == labs]
    for name in wanted:
        stem = Path(name).name.removesuffix(".ipynb")
        fits = [each for each in of_kind if each.name.partition("_")[0] == stem]
        fits += [each for each in notebooks if each.name == stem]
        if not fits:
            known = [each.name for each in notebooks]
            raise RecsysError(
                f"No {'lab' if labs else 'notebook'} {name!r}.{nearest(stem, known)} "
                f"Notebooks: {', '.join(known)}."
            )
        chosen.update({each.name: each for each in fits})
    return [chosen[name] for name in sorted(chosen)] if chosen else of_kind


def _tagged(raw: list[dict], sources: list[str], tag: str) -> str:
    found = [
        source
        for cell, source in zip(raw, sources, strict=True)
        if cell["cell_type"] == "code" and tag in cell.get("metadata", {}).get("tags", [])
    ]
    if len(found) != 1:
        raise RecsysError(f"exactly one code cell must be tagged {tag!r}, found {len(found)}")
    return found[0]


def _title(raw: list[dict], sources: list[str]) -> str:
    lines = (
        line
        for cell, source in zip(raw, sources, strict=True)
        if cell["cell_type"] == "markdown"
        for line in source.splitlines()
    )
    return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), "")


def _parse_profiles(source: str) -> Any:
    try:
        (statement,) = ast.parse(source).body
        (target,) = statement.targets
        if target.id != "profiles":
            raise ValueError
        return ast.literal_eval(statement.value)
    except (SyntaxError, AttributeError, ValueError, TypeError):
        raise RecsysError(
            "the cell tagged 'profiles' may hold only profiles = {...}, all of it literal"
        ) from None


def _check_profiles(profiles: Any, parameters: Mapping[str, Parameter]) -> None:
    if not isinstance(profiles, dict) or not all(isinstance(v, dict) for v in profiles.values()):
        raise RecsysError("profiles must be a dict of dicts")
    for profile, values in profiles.items():
        for name, value in values.items():
            if name not in parameters:
                raise RecsysError(
                    f"profile {profile!r} sets {name!r}, which is no parameter."
                    f"{nearest(name, parameters)}"
                )
            parameters[name].check(value)
