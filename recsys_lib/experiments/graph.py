"""Which notebook needs which: the graph of the artefacts that they read and write."""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.experiments.artifacts import ARTIFACTS
from recsys_lib.experiments.notebooks import Notebook


def dependencies(notebooks: Sequence[Notebook]) -> dict[str, set[str]]:
    """Return, for each notebook's name, the names of those that write what it reads.

    What no notebook writes is built by the library where it is read, if it knows how to.

    Raises
    ------
    RecsysError
        Two notebooks write one artefact, one is read that nobody writes or knows how to build,
        or reading and writing go in a circle.
    """
    writers: dict[str, str] = {}
    for notebook in notebooks:
        for artefact in notebook.writes:
            if artefact in writers:
                raise RecsysError(
                    f"Two notebooks write the artefact {artefact!r}: "
                    f"{writers[artefact]} and {notebook.name}."
                )
            writers[artefact] = notebook.name
    needs: dict[str, set[str]] = {}
    for notebook in notebooks:
        for artefact in notebook.reads:
            if artefact not in writers and artefact not in ARTIFACTS:
                raise RecsysError(
                    f"{notebook.name} reads the artefact {artefact!r}, which no notebook writes."
                    f"{nearest(artefact, {*writers, *ARTIFACTS})}"
                )
        needs[notebook.name] = {writers[name] for name in notebook.reads if name in writers}
    _refuse_circles(needs)
    return needs


def _refuse_circles(needs: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = " <- ".join(error.args[1])
        raise RecsysError(f"These notebooks wait for one another: {circle}.") from None


def ordered_subgraph(needs: dict[str, set[str]], chosen: Sequence[Notebook]) -> dict[str, set[str]]:
    """Return the graph of the chosen notebooks alone, in an order in which they can run."""
    names = {notebook.name for notebook in chosen}
    inner = {name: needs[name] & names for name in sorted(names)}
    return {name: inner[name] for name in _ordered(inner)}


def _ordered(needs: dict[str, set[str]]) -> list[str]:
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    order = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order.extend(ready)
        sorter.done(*ready)
    return order
