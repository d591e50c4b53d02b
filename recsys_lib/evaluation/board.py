"""Results in one table: a row for each method, its metrics with intervals, paired differences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import pandas as pd

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.evaluation.intervals import Interval


class Result(Protocol):
    """What a method achieved. All results on one board speak of the same users."""

    def interval(self, metric: str) -> Interval:
        """Return a metric with its 95 % interval."""

    def difference(self, other: "Result", metric: str) -> Interval:
        """Return the paired difference to another result, this one less the other."""


def comparison_board(
    results: Mapping[str, Result], metrics: Sequence[str], anchor: str | None = None
) -> pd.DataFrame:
    """Return one row for each result, with its metrics and how far it is from an anchor.

    Whether two methods differ is a question for the interval of their paired difference. The
    intervals of their own figures may overlap although one method is better for nearly all users.

    Parameters
    ----------
    results : dict of str to Result
    metrics : sequence of str
        Such as ``recall_at_10`` or ``auc``.
    anchor : str, optional
        The result that all others are compared with.

    Returns
    -------
    DataFrame
        The cells are of type :class:`Interval`; ``board.map(str)`` makes them readable. There is
        a column for each metric and, with an anchor, a column ``<metric> - <anchor>`` for the row
        less the anchor.

    Raises
    ------
    RecsysError
        There is no such anchor.
    """
    if anchor is not None:
        _check_known(anchor, results)
    rows = {}
    for name, result in results.items():
        rows[name] = {metric: result.interval(metric) for metric in metrics}
        if anchor is not None:
            for metric in metrics:
                rows[name][f"{metric} - {anchor}"] = result.difference(results[anchor], metric)
    return pd.DataFrame(rows).T


def paired_differences(
    results: Mapping[str, Result], pairs: Iterable[tuple[str, str]], metric: str
) -> pd.DataFrame:
    """Return the differences of pairs of results, each the first less the second.

    Returns
    -------
    DataFrame
        Indexed by ``first - second``: ``difference`` and the ends of its 95 % interval, ``low``
        and ``high``.

    Raises
    ------
    RecsysError
        A pair names a result that is not there.
    """
    rows = {}
    for first, second in pairs:
        _check_known(first, results)
        _check_known(second, results)
        rows[f"{first} - {second}"] = results[first].difference(results[second], metric)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["difference", "low", "high"])


def _check_known(name: str, results: Mapping[str, Result]) -> None:
    if name not in results:
        raise RecsysError(
            f"There is no result {name!r}.{nearest(name, results)} Results: {', '.join(results)}."
        )
