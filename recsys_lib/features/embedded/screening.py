"""Tables read from Parquet, and which of their rows can be believed."""

from pathlib import Path

import polars as pl
import pyarrow as pa

from recsys_lib.features.source_tables import (
    ANCIENT,
    DUPLICATE,
    FUTURE,
    MISSING,
    checked_table,
)
from recsys_lib.schema import INTERACTIONS, ITEM, RATING, TIMESTAMP, USER

_POLARS = {
    pa.int64(): pl.Int64,
    pa.int16(): pl.Int16,
    pa.float32(): pl.Float32,
    pa.string(): pl.String,
    pa.list_(pa.string()): pl.List(pl.String),
}


def read_table(path: Path, types: pa.Schema) -> pl.DataFrame:
    """Read a Parquet file, or all in a folder, with checked columns; others are left out."""
    _, files, _ = checked_table(path, types)
    canonical = {field.name: _POLARS[field.type] for field in types}
    return pl.concat(
        pl.read_parquet(file, columns=types.names, glob=False, hive_partitioning=False).cast(
            canonical
        )
        for file in files
    )


def screened(interactions: pl.DataFrame, now: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divide interactions into those that can be believed and those that are set aside.

    Parameters
    ----------
    interactions : polars.DataFrame
        The columns of :data:`recsys_lib.schema.INTERACTIONS`, nulls allowed.
    now : int
        Seconds since 1970; a later event has not happened.

    Returns
    -------
    kept : polars.DataFrame
        In order of time, user and item. Of rows with the same user, item and second the one with
        the highest rating is kept.
    rejected : polars.DataFrame
        With a further column ``reason``, the first that applies.
    """
    missing = pl.any_horizontal(pl.col(INTERACTIONS.names).is_null())
    reason = (
        pl.when(missing | ~pl.col(RATING).is_finite())
        .then(pl.lit(MISSING))
        .when(pl.col(TIMESTAMP) > now)
        .then(pl.lit(FUTURE))
        .when(pl.col(TIMESTAMP) < 0)
        .then(pl.lit(ANCIENT))
    )
    marked = interactions.with_columns(reason=reason)
    unreadable = marked.filter(pl.col("reason").is_not_null())
    event = [TIMESTAMP, USER, ITEM]
    readable = (
        interactions.filter(reason.is_null())
        .sort([*event, RATING], descending=[False, False, False, True])
        .with_columns(
            again=pl.all_horizontal(pl.col(c) == pl.col(c).shift() for c in event).fill_null(False)
        )
    )
    again = readable.filter("again").drop("again").with_columns(reason=pl.lit(DUPLICATE))
    return readable.filter(~pl.col("again")).drop("again"), pl.concat([unreadable, again])
