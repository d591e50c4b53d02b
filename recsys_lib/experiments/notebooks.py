"""What the notebooks say of themselves, read without running them."""

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from recsys_lib import paths
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.experiments.parameters import Parameter, parse_parameters


@dataclass(frozen=True)
class Notebook:
    """A numbered notebook: its cells tagged ``parameters`` and ``contract``, parsed.

    ``reads`` and ``writes`` are names of artefacts; ``profiles`` gives, by name, values of
    parameters for a smaller or larger run. ``cells`` are (type, source) pairs, outputs left out.
    """

    name: str
    path: Path
    title: str
    parameters: Mapping[str, Parameter]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    profiles: Mapping[str, Mapping[str, Any]]
    cells: tuple[tuple[str, str], ...]


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
        Not a notebook, or its ``parameters`` or ``contract`` cell is missing or not literal.
    """
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        raise RecsysError(f"{paths.shown(path)} is not a notebook in nbformat 4.") from None
    sources = ["".join(cell["source"]) for cell in raw]
    try:
        parameters = parse_parameters(_tagged(raw, sources, "parameters"))
        contract = _parse_contract(_tagged(raw, sources, "contract"))
        _check_profiles(contract["profiles"], {each.name: each for each in parameters})
    except RecsysError as error:
        raise RecsysError(f"{paths.shown(path)}: {error}.") from None
    return Notebook(
        name=Path(path).stem,
        path=Path(path),
        title=_title(raw, sources) or Path(path).stem,
        parameters=MappingProxyType({each.name: each for each in parameters}),
        reads=tuple(contract["reads"]),
        writes=tuple(contract["writes"]),
        profiles=MappingProxyType(contract["profiles"]),
        cells=tuple((cell["cell_type"], source) for cell, source in zip(raw, sources, strict=True)),
    )


def select(notebooks: Sequence[Notebook], wanted: Iterable[str]) -> list[Notebook]:
    """Return the notebooks named: in full (``03_item2vec``), or by number (``03``); none: all.

    Raises
    ------
    RecsysError
        A name fits none of them; the nearest right one is said.
    """
    chosen = {}
    for name in wanted:
        stem = Path(name).name.removesuffix(".ipynb")
        fits = [each for each in notebooks if stem in (each.name, each.name.partition("_")[0])]
        if not fits:
            known = [each.name for each in notebooks]
            raise RecsysError(
                f"No notebook {name!r}.{nearest(stem, known)} Notebooks: {', '.join(known)}."
            )
        chosen.update({each.name: each for each in fits})
    return [chosen[name] for name in sorted(chosen)] if chosen else list(notebooks)


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


def _parse_contract(source: str) -> dict[str, Any]:
    contract = {}
    try:
        for node in ast.parse(source).body:
            (target,) = node.targets
            contract[target.id] = ast.literal_eval(node.value)
    except (SyntaxError, AttributeError, ValueError, TypeError):
        raise RecsysError(
            "the contract cell may hold only literals given to reads, writes and profiles"
        ) from None
    expected = {"reads", "writes", "profiles"}
    if set(contract) != expected:
        wrong = ", ".join(sorted(set(contract) ^ expected))
        raise RecsysError(f"the contract cell gives reads, writes and profiles; wrong: {wrong}")
    for side in ("reads", "writes"):
        names = contract[side]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise RecsysError(f"the contract's {side} must be a list of names of artefacts")
    return contract


def _check_profiles(profiles: Any, parameters: Mapping[str, Parameter]) -> None:
    if not isinstance(profiles, dict) or not all(isinstance(v, dict) for v in profiles.values()):
        raise RecsysError("the contract's profiles must be a dict of dicts")
    for profile, values in profiles.items():
        for name, value in values.items():
            if name not in parameters:
                raise RecsysError(
                    f"profile {profile!r} sets {name!r}, which is no parameter."
                    f"{nearest(name, parameters)}"
                )
            parameters[name].check(value)
