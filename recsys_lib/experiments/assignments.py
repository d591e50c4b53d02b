"""Values that a command gives to the parameters of the notebooks it runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.experiments.notebooks import Notebook, select
from recsys_lib.experiments.parameters import Parameter
from recsys_lib.settings import check_limit


def resolve(
    notebooks: Sequence[Notebook],
    assignments: Sequence[str] = (),
    profile: str = "default",
    dataset: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Return, for each notebook's name, the parameter values that differ from its own.

    Parameters
    ----------
    notebooks : sequence of Notebook
        The notebooks that will run.
    assignments : sequence of str
        ``name=value`` for all notebooks that have the parameter, ``notebook.name=value`` for one.
    profile : str
        ``default``, or a profile that a notebook declares; assignments win over it.
    dataset : str, optional
        Value of the parameter ``dataset`` wherever there is one.

    Raises
    ------
    RecsysError
        An unknown notebook, parameter or profile, a value of the wrong type, or one that the
        setting of that name cannot have.
    """
    profiles = {name for notebook in notebooks for name in notebook.profiles} | {"default"}
    if profile not in profiles:
        raise RecsysError(
            f"No notebook has a profile {profile!r}.{nearest(profile, profiles)} "
            f"Profiles: {', '.join(sorted(profiles))}."
        )
    values = {each.name: dict(each.profiles.get(profile, {})) for each in notebooks}
    for assignment in assignments:
        for notebook, parameter, text in _targets(assignment, notebooks):
            values[notebook.name][parameter.name] = parameter.parse(text)
    if dataset is not None:
        for notebook in notebooks:
            if "dataset" in notebook.parameters:
                values[notebook.name]["dataset"] = dataset
    return {each.name: _different(values[each.name], each.parameters) for each in notebooks}


def _different(values: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    # Only what differs is injected, so that a default run leaves the cells as they are committed.
    changed = {
        name: parameter.check(values[name])
        for name, parameter in parameters.items()
        if name in values and values[name] != parameter.default
    }
    for name, value in changed.items():
        check_limit(name, value)
    return changed


def _targets(assignment: str, notebooks: Sequence[Notebook]) -> list[tuple]:
    name, equals, text = assignment.partition("=")
    if not equals:
        raise RecsysError(f"-p {assignment}: write -p name=value, or -p notebook.name=value.")
    prefix, dot, name = name.strip().rpartition(".")
    labs = all(each.is_lab for each in notebooks)
    chosen = select(notebooks, [prefix], labs) if dot else list(notebooks)
    known = {each for notebook in chosen for each in notebook.parameters} - {"dataset"}
    if name == "dataset":
        raise RecsysError("One run is about one data set: give it as --dataset NAME, not by -p.")
    if name not in known:
        where = (
            f"{chosen[0].name} has no parameter" if dot else "No chosen notebook has a parameter"
        )
        raise RecsysError(
            f"{where} {name!r}.{nearest(name, known)} Parameters: {', '.join(sorted(known))}."
        )
    return [(each, each.parameters[name], text) for each in chosen if name in each.parameters]
