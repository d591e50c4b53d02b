"""The CSV layout of the reference system's samples: written for its programs, read for ours.

Its columns, their order and the format of the numbers are those of ``trainingSamples.csv`` of
SparrowRecSys. Two differences of meaning remain, and no file shows them: the reference's movie
statistics are over all time, the sample's own rating included, and its user statistics are over
the last 100 ratings. So a model must not be compared across the two sources.
"""

import csv
import os
import time
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.features.reference_layout import CENTS, LAYOUT, WHOLE
from recsys_lib.features.registry import FEATURES, LABEL
from recsys_lib.features.sample_folder import SAMPLES, samples_folder, write_report, write_samples
from recsys_lib.features.samples import SQL_TYPES

# RFC 4180: a quote within a value is doubled. A missing value is written "".
_CSV = {"header": True, "escape": '"'}
MALFORMED = "malformed"


def export_csv(spark: SparkSession, source: Path, file: Path) -> int:
    """Write a folder of samples as one CSV file in the reference system's layout.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    source : Path
        A folder that the samples job wrote.
    file : Path
        Replaced once the new one is complete.

    Returns
    -------
    int
        Rows written, in no particular order.

    Raises
    ------
    DataError
        ``source`` holds no samples, or lacks a column of the layout.
    """
    if not (source / SAMPLES).is_dir():
        raise DataError(f"{source} is no folder of samples: {source / SAMPLES} is missing.")
    samples = spark.read.parquet(str(source / SAMPLES))
    missing = [name for name in LAYOUT if name not in samples.columns]
    if missing:
        raise DataError(f"The samples in {source} lack the columns {', '.join(missing)}.")
    rows = samples.select(*(_written(name).alias(LAYOUT[name][0]) for name in LAYOUT))
    file = Path(file).absolute()
    with files.atomic_path(file) as fresh, TemporaryDirectory(dir=file.parent) as parts:
        rows.coalesce(1).write.csv(f"{parts}/csv", **_CSV)
        (part,) = Path(parts, "csv").glob("part-*.csv")
        os.replace(part, fresh)
    return samples.count()


def import_csv(spark: SparkSession, file: Path, out: Path, partition: str = "month") -> dict:
    """Read samples in the reference system's layout and write them as our typed Parquet.

    A line that does not fit the layout (a number that is none, no user, item, rating, label or
    time) is set aside; an empty field is a missing value.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    file : Path
        A CSV file with a header, or a folder of them.
    out, partition
        As for :func:`recsys_lib.features.samples_job.build_samples`.

    Returns
    -------
    dict
        The report, as it stands in ``report.json``.

    Raises
    ------
    DataError
        ``file`` is missing, its header is not the layout's, or ``out`` is something else.
    """
    started = time.monotonic()
    theirs = [name for name, _ in LAYOUT.values()]
    _check_headers(Path(file), theirs)
    with samples_folder(out, partition) as folder:
        # All as text: a type that Spark guesses would turn what does not fit into nothing.
        texts = ", ".join(f"`{name}` string" for name in [*theirs, "broken"])
        lines = spark.read.schema(texts).csv(str(file), columnNameOfCorruptRecord="broken", **_CSV)
        ours = F.struct(*(_read(name).alias(name) for name in LAYOUT)).alias("ours")
        read = lines.select("broken", F.struct(*theirs).alias("theirs"), ours)
        fits = F.col("broken").isNull() & F.col(f"ours.{LABEL}").isin(0, 1)
        for name, (column, _) in LAYOUT.items():
            empty = F.lit(False)
            if FEATURES[name].nullable:
                empty = F.coalesce(F.col(f"theirs.{column}"), F.lit("")) == ""
            fits &= F.col(f"ours.{name}").isNotNull() | empty
        kept = read.filter(fits).select("ours.*")
        rejected = read.filter(~F.coalesce(fits, F.lit(False)))
        rejected = rejected.select("theirs.*", F.lit(MALFORMED).alias("reason"))
        report = write_samples(spark, kept, lambda: rejected, lines.count(), folder, partition)
        return write_report(folder, report, str(file), started)


def _written(name: str) -> Column:
    value, form = F.col(name), LAYOUT[name][1]
    if form == CENTS:
        value = F.format_number(value.cast("double"), 2)
    elif form == WHOLE:
        value = value.cast("int")
    # Spark writes an empty text as "" and null as nothing; the reference writes "".
    return F.coalesce(value.cast("string"), F.lit(""))


def _read(name: str) -> Column:
    text = F.col(LAYOUT[name][0])
    kind = SQL_TYPES[FEATURES[name].dtype]
    return F.when(text != "", text) if kind == "string" else text.try_cast(kind)


def _check_headers(path: Path, expected: list[str]) -> None:
    files_ = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files_ or not files_[0].is_file():
        raise DataError(f"There is no CSV file at {path}.")
    for file in files_:
        with open(file, encoding="utf-8-sig", newline="") as stream:
            found = next(csv.reader(stream), [])
        if found != expected:
            wrong = [f"{f!r} for {e!r}" for f, e in zip_longest(found, expected) if f != e]
            raise DataError(
                f"{file} is not in the reference's layout: its header has {', '.join(wrong[:3])}. "
                f"It must be: {','.join(expected)}"
            )
