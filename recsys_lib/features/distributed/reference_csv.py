"""The reference system's CSV layout, written and read by Spark."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from recsys_lib.features.distributed.writing import write_samples
from recsys_lib.features.feature import SQL_TYPES
from recsys_lib.features.reference_layout import (
    CENTS,
    LAYOUT,
    MALFORMED,
    NUMBER,
    POINT_AND_ZEROS,
    THEIR_NAMES,
    WHOLE,
    WHOLE_NUMBER,
)
from recsys_lib.features.registry import FEATURES, LABEL

# RFC 4180: a quote within a value is doubled. A missing value is written "".
_CSV = {"header": True, "escape": '"'}


def write(spark: SparkSession, folder: Path, file: Path) -> None:
    """Write the samples of a folder of Parquet as one CSV file."""
    samples = spark.read.parquet(str(folder))
    rows = samples.select(*(_written(name).alias(LAYOUT[name][0]) for name in LAYOUT))
    with TemporaryDirectory(dir=file.parent) as parts:
        rows.coalesce(1).write.csv(f"{parts}/csv", **_CSV)
        (part,) = Path(parts, "csv").glob("part-*.csv")
        os.replace(part, file)


def read(
    spark: SparkSession, files: list[Path], folder: Path, partition: str
) -> tuple[int, dict[str, int]]:
    """Write samples in CSV files as Parquet; return the lines, and those set aside by reason."""
    # All as text: a type that Spark guesses would turn what does not fit into nothing.
    texts = ", ".join(f"`{name}` string" for name in [*THEIR_NAMES, "broken"])
    lines = spark.read.schema(texts).csv(
        [str(file) for file in files], columnNameOfCorruptRecord="broken", **_CSV
    )
    ours = F.struct(*(_read(name).alias(name) for name in LAYOUT)).alias("ours")
    rows = lines.select("broken", F.struct(*THEIR_NAMES).alias("theirs"), ours)
    fits = F.col("broken").isNull() & F.col(f"ours.{LABEL}").isin(0, 1)
    for name, (column, _) in LAYOUT.items():
        empty = F.lit(False)
        if FEATURES[name].nullable:
            empty = F.coalesce(F.col(f"theirs.{column}"), F.lit("")) == ""
        fits &= F.col(f"ours.{name}").isNotNull() | empty
    kept = rows.filter(fits).select("ours.*")
    rejected = rows.filter(~F.coalesce(fits, F.lit(False)))
    rejected = rejected.select("theirs.*", F.lit(MALFORMED).alias("reason"))
    n_read = lines.count()
    return n_read, write_samples(spark, kept, lambda: rejected, n_read, folder, partition)


def _written(name: str) -> Column:
    value, form = F.col(name), LAYOUT[name][1]
    if form == CENTS:
        value = F.expr(f"format_number(cast({name} as double), '0.00')")
    elif form == WHOLE:
        value = value.cast("int")
    # Spark writes an empty text as "" and null as nothing; the reference writes "".
    return F.coalesce(value.cast("string"), F.lit(""))


def _read(name: str) -> Column:
    text = F.col(LAYOUT[name][0])
    kind = SQL_TYPES[FEATURES[name].dtype]
    if kind == "string":
        return F.when(text != "", text)
    trimmed = F.trim(text)
    if kind == "float":
        return F.when(trimmed.rlike(NUMBER), trimmed.try_cast(kind))
    digits = F.regexp_replace(trimmed, POINT_AND_ZEROS, "")
    return F.when(trimmed.rlike(WHOLE_NUMBER), digits.try_cast(kind))
