"""Tables read by Spark, and which of their rows can be believed."""

from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from recsys_lib.features.source_tables import (
    ANCIENT,
    DUPLICATE,
    FUTURE,
    MISSING,
    checked_table,
)
from recsys_lib.schema import INTERACTIONS, ITEM, RATING, TIMESTAMP, USER

_SPARK = {
    "int64": "bigint", "int32": "int", "int16": "smallint", "int8": "tinyint",
    "float": "float", "double": "double", "string": "string", "large_string": "string",
    "list<element: string>": "array<string>", "list<item: string>": "array<string>",
}  # fmt: skip


def read_table(spark: SparkSession, path: Path, types: pa.Schema) -> tuple[DataFrame, int]:
    """Read a Parquet file, or all in a folder, with checked columns; others are left out.

    Returns
    -------
    frame : pyspark.sql.DataFrame
        Of the canonical types; the workers of a cluster must see the path too.
    n_rows : int
    """
    # Footers are small and say more than Spark would, which looks into one file alone.
    stored, _, n_rows = checked_table(path, types)
    schema = ", ".join(f"`{name}` {_SPARK[kind]}" for name, kind in stored.items())
    frame = spark.read.schema(schema).parquet(str(path))
    casts = (f"cast({field.name} as {_SPARK[str(field.type)]}) as {field.name}" for field in types)
    return frame.selectExpr(*casts), n_rows


def screened(interactions: DataFrame, now: int) -> DataFrame:
    """Return the rows that can be believed.

    Parameters
    ----------
    interactions : pyspark.sql.DataFrame
        The columns of :data:`recsys_lib.schema.INTERACTIONS`, nulls allowed.
    now : int
        Seconds since 1970; a later event has not happened.

    Returns
    -------
    pyspark.sql.DataFrame
        Distributed and ordered by item and time, as the item's windows need them. Of rows with
        the same user, item and second the one with the highest rating is kept.
    """
    return _marked(interactions, now).where("not again").drop("again")


def set_aside(interactions: DataFrame, now: int) -> DataFrame:
    """Return the rows that :func:`screened` leaves out, with their ``reason``."""
    rejected = interactions.selectExpr("*", f"{_reason(now)} as reason").where("reason is not null")
    again = _marked(interactions, now).where("again")
    again = again.selectExpr(*interactions.columns, f"'{DUPLICATE}' as reason")
    return rejected.unionByName(again)


def _marked(interactions: DataFrame, now: int) -> DataFrame:
    """Return the readable rows, with a mark on those that come ``again``."""
    readable = interactions.where(f"{_reason(now)} is null").repartition(ITEM)
    # Not row_number: filtering on it makes Spark sort once more, before the shuffle. And not a
    # window for each user, item and second: nearly all would be of one row.
    event = f"struct({TIMESTAMP}, {USER})"
    order = f"over (partition by {ITEM} order by {TIMESTAMP}, {USER}, {RATING} desc)"
    return readable.selectExpr("*", f"lag({event}) {order} <=> {event} as again")


def _reason(now: int) -> str:
    """Return SQL for the reason why a row cannot be right, null where it can."""
    missing = " or ".join(f"{name} is null" for name in INTERACTIONS.names)
    # NaN is larger than infinity in Spark.
    return f"""case
        when {missing} or not abs({RATING}) < double('infinity') then '{MISSING}'
        when {TIMESTAMP} > {now} then '{FUTURE}'
        when {TIMESTAMP} < 0 then '{ANCIENT}' end"""
