"""Columns of a table as arrays, with errors that name the column and what is wrong with it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, nearest


def require_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a :class:`DataError` that names the columns a frame lacks, and the nearest one."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"The samples lack the columns {', '.join(missing)}."
            f"{nearest(missing[0], map(str, frame.columns))}"
        )


def holds_lists(column: pd.Series) -> bool:
    """Tell whether the first value that is not missing is a list."""
    present = column.dropna() if column.dtype == object else ()
    return len(present) > 0 and _is_list(present.iloc[0])


def lists_of(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of lists, some of which may be missing; anything else is refused."""
    lists = frame[column]
    for wrong in lists[~lists.map(_is_list).astype(bool)].dropna():
        raise DataError(f"Column {column} should hold lists, but holds {wrong!r}.")
    return lists


def _is_list(value) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def known_values(column: pd.Series) -> np.ndarray:
    """Return the values of a categorical column that are not missing, as int64 or as text."""
    # Numbers may lie in objects, as in an exploded list, or in a pandas category.
    values = pd.Series(np.asarray(column.dropna()), name=column.name).infer_objects()
    if pd.api.types.is_float_dtype(values.dtype):  # ids beside missing ones
        if not (values == values.round()).all():
            wrong = values[values != values.round()].iloc[0]
            raise DataError(
                f"Column {column.name} holds {wrong}: a category is text or a whole number."
            )
        return values.to_numpy(np.int64)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(np.int64)
    if (found := pd.api.types.infer_dtype(values)) not in ("string", "empty"):
        raise DataError(
            f"Column {column.name} holds values of type {found}: a category is text "
            "or a whole number."
        )
    return values.to_numpy(np.str_)


def merged_vocabulary(column: str, known: np.ndarray | None, found: np.ndarray) -> np.ndarray:
    """Return the sorted union of what was known of a column and what a further piece holds."""
    pieces = [piece for piece in (known, found) if piece is not None and len(piece)]
    if len(pieces) == 2:
        check_kind(column, found, known)
    return np.sort(pd.unique(np.concatenate(pieces or [found])))


def check_kind(column: str, values: np.ndarray, known: np.ndarray) -> None:
    """Refuse texts where training had numbers, and numbers where it had texts."""
    if len(values) and len(known) and (values.dtype.kind == "i") != (known.dtype.kind == "i"):
        kinds = ["texts" if each.dtype.kind != "i" else "whole numbers" for each in (values, known)]
        raise DataError(
            f"Column {column} holds {kinds[0]}, such as {values[0]!r}, where others of its kind "
            f"hold {kinds[1]}."
        )


def as_numbers(
    frame: pd.DataFrame, columns: Sequence[str], log_numbers: Sequence[str]
) -> np.ndarray:
    """Return numeric columns, some replaced by ``sign(x) log(1 + |x|)``: float64, (n, m).

    Missing values are NaN.
    """
    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        try:
            values[:, place] = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise DataError(f"Column {column} does not hold numbers: {error}.") from None
        if np.isinf(values[:, place]).any():
            raise DataError(f"Column {column} holds infinite values; leave a missing value empty.")
        if column in log_numbers:
            values[:, place] = np.sign(values[:, place]) * np.log1p(np.abs(values[:, place]))
    return values


class Moments:
    """Mean and standard deviation of columns that come in pieces.

    Sums are taken around the mean of the first piece, so that they stay small.
    """

    def __init__(self, n_columns: int):
        self.n, self.total, self.squares = np.zeros((3, n_columns))
        self.origin: np.ndarray | None = None

    def add(self, values: np.ndarray) -> None:
        present = ~np.isnan(values)
        if self.origin is None:
            self.origin = np.nansum(values, axis=0) / np.maximum(present.sum(axis=0), 1)
        apart = np.where(present, values - self.origin, 0)
        self.n += present.sum(axis=0)
        self.total += apart.sum(axis=0)
        self.squares += np.square(apart).sum(axis=0)

    def mean(self) -> np.ndarray:
        return self.origin + self.total / np.maximum(self.n, 1)

    def deviation(self) -> np.ndarray:
        n = np.maximum(self.n, 1)
        return np.sqrt(np.maximum(self.squares / n - np.square(self.total / n), 0))
