"""Samples in the CSV layout of the reference system: written for its programs, read for ours.

The columns, their order and the format of the numbers are those of ``trainingSamples.csv`` of
SparrowRecSys. Two differences of meaning remain, and no file shows them: the reference's movie
statistics are over all time, the sample's own rating included, and its user statistics are over
the last 100 ratings. So a model must not be compared across the two sources.
"""

import time
from pathlib import Path

import pyarrow.parquet as pq

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.features.reference_layout import LAYOUT, checked_files, misfits
from recsys_lib.features.sample_folder import SAMPLES, count_samples, samples_folder, write_report


def export_csv(source: Path, file: Path, spark=None) -> int:
    """Write a folder of samples as one CSV file in the reference system's layout.

    Parameters
    ----------
    source : Path
        A folder that the samples job wrote.
    file : Path
        Replaced once the new one is complete.
    spark : pyspark.sql.SparkSession, optional
        Without it the embedded engine writes, in order of time; Spark's order is none.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    DataError
        ``source`` holds no samples, or lacks a column of the layout.
    """
    folder = Path(source) / SAMPLES
    parts = sorted(folder.rglob("*.parquet"))
    if not parts:
        raise DataError(f"{source} is no folder of samples: {folder} is missing or empty.")
    found = pq.read_schema(parts[0]).names
    if missing := [name for name in LAYOUT if name not in found]:
        raise DataError(f"The samples in {source} lack the columns {', '.join(missing)}.")
    with files.atomic_path(Path(file).absolute()) as fresh:
        if spark is None:
            from recsys_lib.features.embedded.reference_csv import write

            write(parts, fresh)
        else:
            from recsys_lib.features.distributed.reference_csv import write

            write(spark, folder, fresh)
    return count_samples(Path(source))


def import_csv(file: Path, out: Path, partition: str = "month", spark=None) -> dict:
    """Read samples in the reference system's layout and write them as our typed Parquet.

    A line that does not fit the layout (a number that is none, no user, item, rating, label or
    time) is set aside; an empty field is a missing value.

    Parameters
    ----------
    file : Path
        A CSV file with a header, or a folder of them.
    out, partition, spark
        As for :func:`recsys_lib.features.build_samples`.

    Returns
    -------
    dict
        The report, as it stands in ``report.json``.

    Raises
    ------
    DataError
        ``file`` is missing, its header is not the layout's, or no line of it fits.
    """
    started = time.monotonic()
    source = Path(file).absolute()
    lines = checked_files(source)
    with samples_folder(out, partition) as folder:
        if spark is None:
            from recsys_lib.features.embedded.reference_csv import read

            n_read, rejected = read(lines, folder, partition)
        else:
            from recsys_lib.features.distributed.reference_csv import read

            n_read, rejected = read(spark, lines, folder, partition)
        try:
            return write_report(folder, source, partition, list(LAYOUT), n_read, rejected, started)
        except DataError as error:
            first = "; ".join(misfits(lines))
            raise DataError(f"{error} {first}".strip()) from None
