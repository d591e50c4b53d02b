"""The samples job: a data set folder in, a folder of samples out (S5)."""

import time
from pathlib import Path

from recsys_lib.features.registry import checked
from recsys_lib.features.sample_folder import samples_folder, write_report
from recsys_lib.features.source_tables import (
    INTERACTIONS,
    ITEMS,
    checked_item_ids,
    without_metadata,
)


def build_samples(
    source: Path,
    out: Path,
    partition: str = "month",
    now: int | None = None,
    columns: list[str] | None = None,
    spark=None,
) -> dict:
    """Make the training samples of a data set and write them to ``out``, whole or not at all.

    Parameters
    ----------
    source : Path
        Holds ``interactions.parquet`` and ``items.parquet`` (files, or folders of files).
    out : Path
        See :mod:`recsys_lib.features.sample_folder`. An earlier result stays until the new one is
        complete.
    partition : str
        ``day``, ``month`` or ``year`` (UTC).
    now : int, optional
        Seconds since 1970; later events are set aside. The clock's by default.
    columns : list of str, optional
        Features of the registry; by default the reference system's. With a list,
        ``users.parquet`` and ``triples.parquet`` are read for what they say of people, where the
        data set has them.
    spark : pyspark.sql.SparkSession, optional
        Local or of a cluster, whose workers must see both folders under the same path. Without it
        the embedded engine works in this process.

    Returns
    -------
    dict
        The report, as it stands in ``report.json``.

    Raises
    ------
    RecsysError
        A column is not in the registry, or is named twice.
    DataError
        A table is missing or of another form, an item has two rows, ``partition`` or ``out`` is
        not what it must be, or the items have too many genres.
    """
    started = time.monotonic()
    now = int(time.time()) if now is None else now
    source = Path(source).absolute()
    written = checked(columns)
    with samples_folder(out, partition) as folder:
        item_ids = checked_item_ids(source / ITEMS)
        if spark is None:
            from recsys_lib.features.embedded.job import write

            n_read, rejected = write(source, folder, partition, now, columns)
        else:
            from recsys_lib.features.distributed.job import write

            n_read, rejected = write(spark, source, folder, partition, now, columns)
        return write_report(
            folder,
            source,
            partition,
            written,
            n_read,
            rejected,
            started,
            without_metadata=without_metadata(source / INTERACTIONS, item_ids),
        )
