"""Writing a folder of samples with Spark."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from recsys_lib.errors import DataError
from recsys_lib.features.sample_folder import QUARANTINE, SAMPLES, count_samples, period_column
from recsys_lib.schema import ITEM, RATING, TIMESTAMP, USER

_PATTERNS = {"year": "yyyy", "month": "yyyy-MM", "day": "yyyy-MM-dd"}

# A task sorts so many rows at a time: some tens of megabytes, which fit in a small heap.
ROWS_PER_TASK = 250_000


def period_of(period: str) -> str:
    """Return SQL for the period in which an event lies: text, in UTC."""
    return f"date_format(timestamp_seconds({TIMESTAMP}), '{_PATTERNS[period]}')"


def write_samples(
    spark: SparkSession,
    samples: DataFrame,
    rejected: Callable[[], DataFrame],
    n_read: int,
    folder: Path,
    partition: str,
) -> dict[str, int]:
    """Write samples and what was set aside.

    Parameters
    ----------
    samples : pyspark.sql.DataFrame
        With a column ``timestamp``.
    rejected : callable
        Returns the rows set aside, with a column ``reason``. It is called only when rows are
        missing from the samples.
    n_read : int
        How many rows both must have together.

    Returns
    -------
    dict
        Rows set aside, by reason.

    Raises
    ------
    DataError
        They have not: the source changed while it was read.
    """
    column = period_column(partition)
    with _shuffle_partitions(spark, n_read):
        # A rebalance gathers the rows of a period into few files, and splits a large period.
        ordered = (
            samples.selectExpr("*", f"{period_of(partition)} as {column}")
            .hint("rebalance", column)
            .sortWithinPartitions(column, TIMESTAMP, USER, ITEM)
        )
        target = str(folder / SAMPLES)
        # Running means hardly repeat: a dictionary of them is built in vain.
        plain = {
            f"parquet.enable.dictionary#{name}": "false"
            for name, kind in samples.dtypes
            if kind == "float" and name != RATING
        }
        writer = ordered.write.options(**plain)
        writer.parquet(target, partitionBy=[column], compression="zstd")
        n_written = count_samples(folder)
        if n_written == 0:  # no row, no partition; an empty file keeps the columns and types
            empty = spark.createDataFrame([], samples.schema)
            empty.write.parquet(target, mode="overwrite")
        reasons: dict[str, int] = {}
        if n_written < n_read:
            rejected().write.parquet(str(folder / QUARANTINE), compression="zstd")
            found = spark.read.parquet(str(folder / QUARANTINE)).groupBy("reason").count()
            reasons = {row["reason"]: row["count"] for row in found.collect()}
    if n_written + sum(reasons.values()) != n_read:
        raise DataError(
            f"{n_read:,} rows were counted, {n_written:,} written and {sum(reasons.values()):,} "
            "set aside: the source changed while it was read. Run it again."
        )
    return reasons


@contextlib.contextmanager
def _shuffle_partitions(spark: SparkSession, n_rows: int) -> Iterator[None]:
    """Cut shuffles by the data's size while the block runs, a part a core at least.

    Spark would join small parts again, by the bytes they hold: a hundred thousand rows of these
    windows are few bytes and a second's work, which a lone core would do. Nor is code written for
    each stage of so few rows: compiling it takes longer than it saves.
    """
    n_cores = spark.sparkContext.defaultParallelism
    settings = {
        "spark.sql.shuffle.partitions": str(max(n_cores, n_rows // ROWS_PER_TASK)),
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
        "spark.sql.codegen.wholeStage": str(n_rows > ROWS_PER_TASK).lower(),
    }
    before = {name: spark.conf.get(name) for name in settings}
    for name, value in settings.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
