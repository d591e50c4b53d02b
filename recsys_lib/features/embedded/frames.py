"""From pandas to polars, with checked columns and types."""

import pandas as pd
import polars as pl
import pyarrow as pa

from recsys_lib.errors import DataError, nearest
from recsys_lib.features.frames import arrow_from


def polars_from(frame: pd.DataFrame, types: pa.Schema) -> pl.DataFrame:
    """Return the columns of ``types`` that the frame has; NaN becomes null.

    Raises
    ------
    DataError
        A column that must not be null is missing, or has a missing value.
    """
    for field in types:
        if not field.nullable and field.name not in frame.columns:
            raise DataError(
                f"The table has no column {field.name!r}.{nearest(field.name, frame.columns)} "
                f"It has: {', '.join(map(str, frame.columns))}."
            )
        if not field.nullable and frame[field.name].isna().any():
            raise DataError(
                f"Column {field.name!r} has {frame[field.name].isna().sum():,} missing values; "
                "leave those rows out."
            )
    kept = pa.schema([field for field in types if field.name in frame.columns])
    return pl.from_arrow(arrow_from(frame[kept.names], kept))
