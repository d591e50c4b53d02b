"""The samples job: a data set folder in, a folder of samples out, all of it read by Spark (S5)."""

import time
from functools import partial
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from recsys_lib import schema
from recsys_lib.features.content import with_content
from recsys_lib.features.sample_folder import samples_folder, write_report, write_samples
from recsys_lib.features.samples import training_samples
from recsys_lib.features.validation import (
    checked_item_ids,
    read_table,
    screened,
    set_aside,
    without_metadata,
)


def build_samples(
    spark: SparkSession,
    source: Path,
    out: Path,
    partition: str = "month",
    now: int | None = None,
    columns: list[str] | None = None,
) -> dict:
    """Make the training samples of a data set and write them to ``out``, whole or not at all.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
        Local or of a cluster, whose workers must see both folders under the same path.
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
        Features of the registry; by default the reference system's. ``users.parquet`` and
        ``triples.parquet`` are read for what is said of people, where they are there.

    Returns
    -------
    dict
        The report, as it stands in ``report.json``.

    Raises
    ------
    DataError
        A table is missing or of another form, an item has two rows, ``partition`` or ``out`` is
        not what it must be, or the items have too many genres.
    """
    started = time.monotonic()
    with samples_folder(out, partition) as folder:
        interactions, n_read = read_table(
            spark, source / "interactions.parquet", schema.INTERACTIONS
        )
        items, _ = read_table(spark, source / "items.parquet", schema.ITEMS)
        item_ids = checked_item_ids(source / "items.parquet")
        now = int(time.time()) if now is None else now
        users = None
        if columns is not None:
            users, triples = (
                read_table(spark, path, types)[0] if path.exists() else None
                for path, types in (
                    (source / "users.parquet", schema.USERS),
                    (source / "triples.parquet", schema.TRIPLES),
                )
            )
            items = with_content(items, triples)
        kept = screened(interactions, now)
        samples = training_samples(kept, items, users, columns, _genres(source / "items.parquet"))
        rejected = partial(set_aside, interactions, now)
        report = write_samples(spark, samples, rejected, n_read, folder, partition)
        report["without_metadata"] = without_metadata(source / "interactions.parquet", item_ids)
        return write_report(folder, report, str(source), started)


def _genres(path: Path) -> list[str]:
    """Return the different genres without a job of Spark's: they are as small as the catalogue."""
    lists = pq.read_table(path, columns=["genres"])["genres"]
    return sorted(pc.unique(pc.list_flatten(lists)).drop_null().to_pylist())
