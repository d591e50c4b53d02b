"""Results in one table: a row for each method, a metric with its interval, paired differences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import pandas as pd

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.evaluation.intervals import Interval


class Result(Protocol):
    """What a method achieved on some users; methods that share a board share the users."""

    def interval(self, metric: str) -> Interval:
        """Return a metric with its 95 % interval."""

    def difference(self, other: "Result", metric: str) -> Interval:
        """Return the paired difference to another result, this one less the other."""


def comparison_board(
    results: Mapping[str, Result], metrics: Sequence[str], anchor: str | None = None
) -> pd.DataFrame:
    """Return one row for each result: its metrics, their intervals, and how far an anchor is off.

    Whether two methods differ is a question for the interval of their paired difference. The
    intervals of the two single figures may overlap although one method is better for nearly all
    users.

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
        For a metric m the columns ``m``, ``m_low`` and ``m_high``, and, with an anchor,
        ``m_difference``, ``m_difference_low`` and ``m_difference_high``: the row less the anchor,
        NaN in the row of the anchor itself.

    Raises
    ------
    RecsysError
        There is no such anchor.
    """
    if anchor is not None:
        _check_known(anchor, results)
    rows = {}
    for name, result in results.items():
        row = rows[name] = {}
        for metric in metrics:
            row |= _cells(metric, *result.interval(metric))
            if anchor is not None:
                none = (float("nan"),) * 3
                gap = none if name == anchor else result.difference(results[anchor], metric)
                row |= _cells(f"{metric}_difference", *gap)
    return pd.DataFrame.from_dict(rows, orient="index")


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


def with_intervals(board: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """Return a board to read: each figure that has an interval as ``0.123 [0.100, 0.145]``.

    Columns without an interval stay as they are.
    """
    shown = {}
    for column in board:
        low, high = f"{column}_low", f"{column}_high"
        if low in board and high in board:
            shown[column] = [
                "" if pd.isna(mean) else f"{mean:.{digits}f} [{a:.{digits}f}, {b:.{digits}f}]"
                for mean, a, b in board[[column, low, high]].itertuples(index=False)
            ]
        elif column.removesuffix("_low").removesuffix("_high") not in shown:
            shown[column] = board[column].to_numpy()
    return pd.DataFrame(shown, index=board.index)


def _cells(name: str, value: float, low: float, high: float) -> dict[str, float]:
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _check_known(name: str, results: Mapping[str, Result]) -> None:
    if name not in results:
        raise RecsysError(
            f"There is no result {name!r}.{nearest(name, results)} Results: {', '.join(results)}."
        )
