"""Columns of a table as arrays, with errors that name the column and what is wrong with it."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_bool_dtype, is_signed_integer_dtype

from recsys_lib.data.ids import UNKNOWN, IdColumn, Ids, id_column
from recsys_lib.data.values import quantities
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


def categories_of(column: pd.Series) -> Ids:
    """Return the distinct values of a categorical column as a vocabulary of numbers or of text.

    Whole numbers stay int64; numbers that int64 cannot hold, UUIDs and bytes become text. An empty
    text counts as missing, as in a file.

    Raises
    ------
    DataError
        The column holds fractions, dates, lists, or a mixture of kinds.
    """
    return _numbers_or_text(Ids.of(_without_bools(column), f"Column {column.name}"))


def array_kind(values: np.ndarray) -> str:
    """Return the kind of a vocabulary that is kept as an array: ``number`` or ``text``."""
    return "text" if values.dtype == object else "number"


def pack(vocabulary: np.ndarray) -> np.ndarray:
    """Return a vocabulary as an array that ``.npz`` keeps to the letter: text as UTF-8 in JSON.

    numpy's own arrays of text are as wide as the longest one, and lose zero bytes at the end.
    """
    if array_kind(vocabulary) == "number":
        return vocabulary
    return np.frombuffer(json.dumps(vocabulary.tolist()).encode(), dtype=np.uint8)


def unpack(stored: np.ndarray) -> np.ndarray:
    """Return the vocabulary that :func:`pack` made an array of."""
    if stored.dtype != np.uint8:
        return stored
    return np.array(json.loads(stored.tobytes()), dtype=object)


def codes_of_categories(ids: Ids, values: pd.Series) -> np.ndarray:
    """Return the code of each value in the vocabulary: int64, (n,), -1 for an unknown one."""
    if ids.kind == "number" and is_signed_integer_dtype(values.dtype):
        codes = ids.index.get_indexer(values.to_numpy(np.int64, na_value=0)).astype(np.int64)
        return np.where(values.isna(), UNKNOWN, codes)
    if ids.kind == "text" and values.dtype == object:
        codes = ids.index.get_indexer(values).astype(np.int64)
        # Only what was not found may be of another kind.
        if infer_dtype(values[codes < 0].dropna(), skipna=False) in ("string", "empty"):
            return codes
    name = f"Column {values.name}"
    column = id_column(_without_bools(values), name)
    if column.kind in ("uuid", "bytes"):
        texts = np.full(len(values), "", dtype=object)
        texts[~column.missing] = _texts(column.values[~column.missing], column.kind)
        column = IdColumn("text", texts, column.missing)
    codes = ids.codes_of(pd.Series(column.values, dtype=object).where(~column.missing, None))
    if column.kind != ids.kind and len(ids) and not column.missing.all() and (codes < 0).all():
        words = {"number": "whole numbers", "text": "texts"}
        example, known = column.values[~column.missing][:1].tolist(), ids.values[:1].tolist()
        raise DataError(
            f"{name} holds {words[column.kind]}, such as {example[0]!r}, where others of its kind "
            f"hold {words[ids.kind]}, such as {known[0]!r}, and none of them is known."
        )
    return codes


def _without_bools(column: pd.Series) -> pd.Series:
    # pandas finds True equal to no number, and an id is never a truth value.
    if is_bool_dtype(column.dtype) or infer_dtype(column, skipna=True) == "boolean":
        return column.astype("boolean").astype("Int8")
    return column


def _numbers_or_text(ids: Ids) -> Ids:
    if ids.kind == "text" or (ids.kind == "number" and ids.values.dtype == np.int64):
        return ids
    return Ids("text", _texts(ids.values, ids.kind))


def _texts(values: np.ndarray, kind: str) -> np.ndarray:
    # Latin-1 gives each byte a letter of its own, so that different bytes stay different.
    change = (lambda value: value.decode("latin-1")) if kind == "bytes" else str
    return np.array([change(value) for value in values], dtype=object)


def as_numbers(
    frame: pd.DataFrame, columns: Sequence[str], log_numbers: Sequence[str]
) -> np.ndarray:
    """Return numeric columns, some replaced by ``sign(x) log(1 + |x|)``: float64, (n, m).

    Missing values are NaN.
    """
    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        values[:, place] = quantities(frame[column], f"Column {column}")
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
