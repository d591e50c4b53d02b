"""Values of a column in one form, whatever the table they come from."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys_lib.errors import DataError

PLAIN = "^(0|-?[1-9][0-9]{0,18})$"  # a whole number that comes back as it was written


def nullable(kind: pa.DataType):
    """Return pandas' type of whole numbers with missing ones, for ``to_pandas(types_mapper=...)``.

    By default pandas makes floats of them. Arrow's own types in pandas do so, too, in
    ``drop_duplicates``.
    """
    if not pa.types.is_integer(kind):
        return None
    sign = "U" if pa.types.is_unsigned_integer(kind) else ""
    return pd.api.types.pandas_dtype(f"{sign}Int{kind.bit_width}")


class Wrong(NamedTuple):
    """Values that cannot be used: a mask, bool (n,), and the reason they share."""

    mask: np.ndarray
    reason: str


def distinct_of(values: np.ndarray) -> np.ndarray:
    """Return the distinct values in order of first appearance.

    ``pandas.unique`` and ``factorize`` take texts for equal that differ from a zero byte on.
    """
    if values.dtype != object:
        return pd.unique(values)
    found = list(dict.fromkeys(values))
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array


def factorized(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each value among the distinct ones, int64 (n,), and those."""
    distinct = distinct_of(values)
    return pd.Index(distinct).get_indexer(values).astype(np.int64), distinct


def as_series(values) -> pd.Series:
    """Return values (Series, Arrow array) as a Series with the index 0 to n - 1."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.to_pandas()
    column = pd.Series(values).reset_index(drop=True)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    return column.infer_objects()


def numbers_of(values) -> tuple[np.ndarray, np.ndarray]:
    """Read numbers, also where they are written as text.

    Returns
    -------
    numbers : float64 array, shape (n,)
        0 where there is none.
    is_number : bool array, shape (n,)
        Whether the value is a finite number.
    """
    if isinstance(values, pa.Array) and pa.types.is_string(values.type):
        try:  # by far the fastest, where it can be done
            numbers = pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            numbers = _converted(as_series(values))
    else:
        numbers = _converted(as_series(values))
    is_number = np.isfinite(numbers)
    return np.where(is_number, numbers, 0.0), is_number


def quantities(values: pd.Series, name: str) -> np.ndarray:
    """Return a column of numbers, which may be written as text: float64 (n,), NaN where empty.

    Raises
    ------
    DataError
        A value is no number; names it. Infinite numbers are left to the caller.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(np.float64, na_value=np.nan)
    numbers = _converted(as_series(values))
    wrong = np.isnan(numbers) & ~text_of(values).str.strip().str.lower().isin(["", "nan"])
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{name} does not hold numbers: {text_of(values).iloc[place]!r} is none (row "
            f"{place:,}, counted from 0)."
        )
    return numbers


def _converted(column: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return np.full(len(column), np.nan)
    plain = column.map(lambda each: each if isinstance(each, str | int | float) else _plain(each))
    return pd.to_numeric(plain, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _plain(each):
    """Return a Decimal and the like as float; anything else is no number."""
    try:
        return float(each)
    except (TypeError, ValueError):
        return None


def text_of(values) -> pd.Series:
    """Return values as text, an empty one where there is none."""
    column = as_series(values).astype(object)
    column = column.where(column.notna(), "")
    return column.map(lambda each: each if isinstance(each, str) else str(each)).astype(object)


def column_of(texts: pa.Array) -> pd.Series:
    """Return a column of a text file: whole numbers where all are written so, else text.

    Whole means in plain digits: ``07`` and ``7.0`` make the column text, so that no value comes to
    equal another. An empty field is a missing value.
    """
    empty = pc.equal(texts, "")
    filled = texts.filter(pc.invert(empty))
    if len(filled) and pc.all(pc.match_substring_regex(filled, PLAIN)).as_py():
        try:
            numbers = pc.cast(pc.if_else(empty, None, texts), pa.int64())
        except pa.ArrowInvalid:  # more than 64 bits
            pass
        else:
            return numbers.to_pandas(types_mapper=nullable if numbers.null_count else None)
    return pc.if_else(empty, None, texts).to_pandas().astype(object)
