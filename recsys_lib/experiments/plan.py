"""What one run will do: the notebooks, their parameters, their order, and a fingerprint of each."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
        By the notebook's name, steps that were not asked for, whose artefacts are read here and
        lie in an earlier run.
    """

    dataset: str | None
    data_fingerprint: str | None
    profile: str
    steps: Mapping[str, Step]
    lent: Mapping[str, Step] = field(default_factory=dict)


def make_plan(
    notebooks: Sequence[Notebook],
    wanted: Sequence[str] = (),
    assignments: Sequence[str] = (),
    profile: str = "default",
    dataset: str | None = None,
    labs: bool = False,
    is_there: Callable[[Step], bool] = lambda step: False,
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
    is_there : function of Step
        Tells whether an earlier run has the results of a step. What a notebook that was not asked
        for writes, and one that was asked for reads, is then taken from there, if that notebook
        ran with its own parameters and the seed of this command.

    Raises
    ------
    RecsysError
        Anything in the command is wrong, or the notebooks do not fit together.
    """
    needs = dependencies(notebooks)
    chosen = {each.name: each for each in select(notebooks, wanted, labs)}
    changed = resolve(list(chosen.values()), assignments, profile, dataset)
    name = _dataset_name([chosen[each].values(changed[each]) for each in chosen], dataset)
    data = _data_fingerprint(name) if name else None
    others = _read_from(chosen.values(), needs, notebooks)
    changed |= {each.name: _shared_values(each, chosen, changed) for each in others}
    steps: dict[str, Step] = {}
    lent: dict[str, Step] = {}
    for each, inner in ordered_subgraph(needs, [*chosen.values(), *others]).items():
        made = {other: found for other in sorted(inner) if (found := (steps | lent).get(other))}
        upstream = {other: step.fingerprint for other, step in made.items()}
        notebook = next(other for other in notebooks if other.name == each)
        step = Step(notebook, changed[each], frozenset(made.keys() & steps.keys()))
        step = replace(step, fingerprint=_fingerprint(step, upstream, data))
        if each in chosen:
            steps[each] = step
        elif len(made) == len(inner) and is_there(step):
            lent[each] = step
    return Plan(name, data, profile, steps, lent)


def _read_from(chosen: Iterable[Notebook], needs: Mapping[str, set[str]], notebooks) -> list:
    """Return the notebooks from which the chosen ones read, directly or not, and no chosen one."""
    names = {each.name for each in chosen}
    found, left = set(), set(names)
    while left:
        left = set().union(*(needs[name] for name in left)) - names - found
        found |= left
    return [each for each in notebooks if each.name in found]


def _shared_values(notebook: Notebook, chosen, changed) -> dict[str, Any]:
    """Return the data set and the seed on which all chosen notebooks agree, where not its own."""
    shared = {}
    for name in notebook.parameters.keys() & {"dataset", "seed"}:
        first, *more = (each.values(changed[key]).get(name) for key, each in chosen.items())
        if first not in (None, notebook.parameters[name].default) and set(more) <= {first}:
            shared[name] = first
    return shared


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
