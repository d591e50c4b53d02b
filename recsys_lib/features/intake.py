"""What the samples job takes in: tables of the right form, and rows it can believe.

A table of another form is refused with one sentence. A row that cannot be right is set aside with
its reason, so that rows read = rows kept + rows set aside.
"""

from pathlib import Path

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from recsys_lib.errors import DataError, nearest
from recsys_lib.schema import INTERACTIONS, ITEM, RATING, TIMESTAMP, USER

MISSING = "missing value"  # null in any column, or a rating that is no finite number
FUTURE = "timestamp in the future"
ANCIENT = "timestamp before 1970"
DUPLICATE = "duplicate"  # the same user, item and second again
REASONS = (MISSING, FUTURE, ANCIENT, DUPLICATE)

# Spark's types that hold no more than the canonical one; stars survive single precision.
_FITTING = {
    pa.int64(): ("bigint", "int", "smallint", "tinyint"),
    pa.int16(): ("smallint", "tinyint"),
    pa.float32(): ("float", "double"),
    pa.string(): ("string",),
    pa.list_(pa.string()): ("array<string>",),
}


def read_table(spark: SparkSession, path: Path, types: pa.Schema) -> DataFrame:
    """Read a Parquet file or folder and check its columns; further columns are left out.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    path : Path
        The workers of a cluster must see it too.
    types : pyarrow.Schema
        The columns that must be there. Narrower integers, and double for float, are converted.

    Raises
    ------
    DataError
        It cannot be read, or a column is missing or of another type.
    """
    try:
        frame = spark.read.parquet(str(path))
    except Exception as error:  # Spark's own, whose text goes on for pages
        raise DataError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    found = dict(frame.dtypes)
    for field in types:
        fitting = _FITTING[field.type]
        if field.name not in found:
            raise DataError(
                f"{path} has no column {field.name!r}.{nearest(field.name, found)} "
                f"It has: {', '.join(found) or 'none'}."
            )
        if found[field.name] not in fitting:
            raise DataError(
                f"Column {field.name!r} of {path} is {found[field.name]}; it must be "
                f"{' or '.join(fitting)}."
            )
    return frame.select(*(F.col(f.name).cast(_FITTING[f.type][0]) for f in types))


def check_items(items: DataFrame) -> None:
    """Raise :class:`DataError` for an item without an id or with two rows: it would double rows."""
    wrong = items.groupBy(ITEM).count().filter(F.col(ITEM).isNull() | (F.col("count") > 1)).first()
    if wrong is not None:
        raise DataError(
            "The table of items has a row without an item_id."
            if wrong[ITEM] is None
            else f"The table of items has {wrong['count']} rows for item {wrong[ITEM]}."
        )


def screened(interactions: DataFrame, now: int) -> tuple[DataFrame, DataFrame]:
    """Separate the rows that can be believed from those that cannot.

    Parameters
    ----------
    interactions : pyspark.sql.DataFrame
        The columns of :data:`recsys_lib.schema.INTERACTIONS`, nulls allowed.
    now : int
        Seconds since 1970; a later event has not happened.

    Returns
    -------
    kept : pyspark.sql.DataFrame
        Distributed and ordered by item and time, as the item's windows need them. Of rows with
        the same user, item and second the one with the highest rating is kept.
    rejected : pyspark.sql.DataFrame
        The others, with a column ``reason`` out of :data:`REASONS`, the first that applies.
    """
    reason = _reason(now)
    readable = interactions.filter(reason.isNull()).repartition(ITEM)
    same = Window.partitionBy(ITEM, TIMESTAMP, USER).orderBy(F.desc(RATING))
    # Not row_number: filtering on it makes Spark sort once more, before the shuffle.
    marked = readable.withColumn("earlier", F.lag(RATING).over(same))
    kept = marked.filter(F.col("earlier").isNull())
    again = marked.filter(F.col("earlier").isNotNull())
    rejected = (
        interactions.withColumn("reason", reason)
        .filter(F.col("reason").isNotNull())
        .unionByName(again.drop("earlier").withColumn("reason", F.lit(DUPLICATE)))
    )
    return kept.drop("earlier"), rejected


def _reason(now: int) -> Column:
    finite = F.abs(F.col(RATING)) < float("inf")  # NaN is larger than infinity in Spark
    missing = ~finite
    for name in INTERACTIONS.names:
        missing = F.col(name).isNull() | missing
    return (
        F.when(missing, MISSING)
        .when(F.col(TIMESTAMP) > now, FUTURE)
        .when(F.col(TIMESTAMP) < 0, ANCIENT)
    )
