"""Values of a column in one form, whatever the table they come from."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


class Wrong(NamedTuple):
    """Values that cannot be used: a mask, bool (n,), and the reason they share."""

    mask: np.ndarray
    reason: str


def as_series(values) -> pd.Series:
    """Return values (Series, Arrow array) as a Series with the index 0 to n - 1."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.to_pandas()
    column = pd.Series(values).reset_index(drop=True)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
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
