"""What one run will do: the notebooks, their parameters, their order, and a fingerprint of each."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recsys_lib.errors import RecsysError
from recsys_lib.experiments.assignments import resolve
from recsys_lib.experiments.fingerprint import library_fingerprint
from recsys_lib.experiments.graph import dependencies, ordered_subgraph
from recsys_lib.experiments.notebooks import Notebook, select


@dataclass(frozen=True)
class Step:
    """One notebook of a run.

    Attributes
    ----------
    notebook : Notebook
    changed : mapping
        Values of the parameters that differ from the notebook's own.
    needs : frozenset of str
        Names of the notebooks of this run that must have ended well before.
    fingerprint : str
        Changes with anything that can change the results.
    """

    notebook: Notebook
    changed: Mapping[str, Any]
    needs: frozenset[str]
    fingerprint: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters of the notebook with the values they have in this run."""
        return self.notebook.values(self.changed)


@dataclass(frozen=True)
class Plan:
    """A run to be made.

    Attributes
    ----------
    dataset, data_fingerprint : str or None
        None where no notebook has a parameter ``dataset``.
    profile : str
    steps : mapping
        By the notebook's name, in an order in which they can run.
    lent : mapping
        By the notebook's name, steps that were not asked for, whose artefacts are read here, and
        the folder of the earlier run in which these lie.
    """

    dataset: str | None
    data_fingerprint: str | None
    profile: str
    steps: Mapping[str, Step]
    lent: Mapping[str, tuple[Step, Path]] = field(default_factory=dict)


def make_plan(
    notebooks: Sequence[Notebook],
    wanted: Sequence[str] = (),
    assignments: Sequence[str] = (),
    profile: str = "default",
    dataset: str | None = None,
    labs: bool = False,
    find_earlier: Callable[[Step], Path | None] = lambda step: None,
) -> Plan:
    """Check a command and lay out the run; the data set is fetched if it is not there yet.

    Parameters
    ----------
    notebooks : sequence of Notebook
        All notebooks there are.
    wanted : sequence of str
        Names or numbers of those to run; none: all lessons, or all labs.
    labs : bool
        Whether numbers stand for labs, and no names at all for all of them.
    assignments, profile, dataset
        See `recsys_lib.experiments.assignments.resolve`.
    find_earlier : function of Step
        Returns the folder of an earlier run with the results of a step, or None. What a notebook
        that was not asked for writes, and one that was asked for reads, is then taken from there,
        if that notebook ran with its own parameters and the seed of this command. A command with
        several seeds takes nothing.

    Raises
    ------
    RecsysError
        Anything in the command is wrong, or the notebooks do not fit together.
    """
    needs = dependencies(notebooks)
    chosen = {each.name: each for each in select(notebooks, wanted, labs)}
    changed = resolve(list(chosen.values()), assignments, profile, dataset)
    values = [chosen[each].values(changed[each]) for each in chosen]
    name = _dataset_name(values, dataset)
    data = _data_fingerprint(name) if name else None
    seeds = {each["seed"] for each in values if "seed" in each}
    others = _read_from(chosen, needs, notebooks) if len(seeds) < 2 else {}
    shared = {"dataset": name, "seed": next(iter(seeds), None)}
    steps: dict[str, Step] = {}
    lent: dict[str, tuple[Step, Path]] = {}
    prints: dict[str, str] = {}
    for each, inner in ordered_subgraph(needs, [*chosen.values(), *others.values()]).items():
        upstream = {other: prints[other] for other in sorted(inner) if other in prints}
        ran = frozenset(inner & steps.keys())
        if each in chosen:
            step = Step(chosen[each], changed[each], ran)
        else:
            step = Step(others[each], _where_not_its_own(others[each], shared), ran)
        step = replace(step, fingerprint=_fingerprint(step, upstream, data))
        if each in chosen:
            steps[each] = step
        elif len(upstream) == len(inner) and (earlier := find_earlier(step)):
            lent[each] = step, earlier
        else:
            continue
        prints[each] = step.fingerprint
    return Plan(name, data, profile, steps, lent)


def _read_from(chosen: Mapping[str, Notebook], needs: Mapping[str, set[str]], notebooks) -> dict:
    """Return the notebooks from which the chosen ones read, directly or not, and no chosen one."""
    found, left = set(), set(chosen)
    while left:
        left = set().union(*(needs[name] for name in left)) - chosen.keys() - found
        found |= left
    return {each.name: each for each in notebooks if each.name in found}


def _where_not_its_own(notebook: Notebook, shared: Mapping[str, Any]) -> dict[str, Any]:
    own = notebook.values({})
    return {n: v for n, v in shared.items() if v is not None and own.get(n, v) != v}


def _fingerprint(step: Step, upstream: Mapping[str, str], data: str | None) -> str:
    decisive = [step.notebook.cells, step.parameters, upstream, library_fingerprint(), data]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


def _dataset_name(parameters: Sequence[Mapping[str, Any]], given: str | None) -> str | None:
    names = {values["dataset"] for values in parameters if "dataset" in values}
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
