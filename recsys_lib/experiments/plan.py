"""What one run will do: the notebooks, their parameters, their order, and a fingerprint of each."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys_lib.errors import RecsysError
from recsys_lib.experiments.assignments import resolve
from recsys_lib.experiments.fingerprint import library_fingerprint
from recsys_lib.experiments.graph import dependencies, within
from recsys_lib.experiments.notebooks import Notebook, select


@dataclass(frozen=True)
class Step:
    """One notebook of a run.

    ``values`` are the parameters that differ from the notebook's own, ``needs`` the notebooks of
    this run that must have ended well before, ``fingerprint`` changes with anything that can
    change the results.
    """

    notebook: Notebook
    values: Mapping[str, Any]
    needs: frozenset[str]
    fingerprint: str

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters of the notebook with the values they have in this run."""
        return {name: each.default for name, each in self.notebook.parameters.items()} | dict(
            self.values
        )


@dataclass(frozen=True)
class Plan:
    """A run to be made: ``steps`` by notebook name, in an order in which they can run."""

    dataset: str | None
    data_fingerprint: str | None
    profile: str
    steps: Mapping[str, Step]


def make_plan(
    notebooks: Sequence[Notebook],
    wanted: Sequence[str] = (),
    assignments: Sequence[str] = (),
    profile: str = "default",
    dataset: str | None = None,
) -> Plan:
    """Check a command and lay out the run; the data set is fetched if it is not there yet.

    Parameters
    ----------
    notebooks : sequence of Notebook
        All notebooks there are.
    wanted : sequence of str
        Names or numbers of those to run; none: all.
    assignments, profile, dataset
        See `recsys_lib.experiments.assignments.resolve`.

    Raises
    ------
    RecsysError
        Anything in the command or in a notebook's contract is wrong.
    """
    needs = dependencies(notebooks)
    chosen = {each.name: each for each in select(notebooks, wanted)}
    values = resolve(list(chosen.values()), assignments, profile, dataset)
    name = _dataset_name(chosen, values, dataset)
    data = _data_fingerprint(name) if name else None
    surroundings = [library_fingerprint(), _versions(), data]
    steps: dict[str, Step] = {}
    for each, inner in within(needs, list(chosen.values())).items():
        upstream = {other: steps[other].fingerprint for other in sorted(inner)}
        parameters = {key: p.default for key, p in chosen[each].parameters.items()} | values[each]
        content = [chosen[each].cells, parameters, upstream, surroundings]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        steps[each] = Step(chosen[each], values[each], frozenset(inner), digest)
    return Plan(name, data, profile, steps)


def _dataset_name(chosen: Mapping, values: Mapping, given: str | None) -> str | None:
    names = {
        values[each].get("dataset", notebook.parameters["dataset"].default)
        for each, notebook in chosen.items()
        if "dataset" in notebook.parameters
    }
    if given and not names:
        raise RecsysError("--dataset has no effect: no chosen notebook has a parameter 'dataset'.")
    if len(names) > 1:
        raise RecsysError(
            f"The chosen notebooks name several data sets ({', '.join(sorted(names))}); "
            "say which one is meant with --dataset NAME."
        )
    return names.pop() if names else None


def _data_fingerprint(name: str) -> str:
    from recsys_lib.data import ensure

    return ensure(name).fingerprint


def _versions() -> dict[str, str]:
    return package_versions(direct_only=True)


def package_versions(direct_only: bool = False) -> dict[str, str]:
    """Return the installed versions, by name, of what the library requires.

    By default the packages that help to develop it are included.
    """
    from importlib.metadata import PackageNotFoundError, requires, version

    found = {}
    for requirement in requires("recsys-lib") or []:
        if direct_only and "extra ==" in requirement:
            continue
        name = re.match(r"[A-Za-z0-9._-]+", requirement).group()
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
