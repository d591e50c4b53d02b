"""The samples job on Spark: a data set folder in, a folder of samples out."""

from functools import partial
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from recsys_lib import schema
from recsys_lib.features.distributed.content import with_content
from recsys_lib.features.distributed.samples import training_samples
from recsys_lib.features.distributed.screening import read_table, screened, set_aside
from recsys_lib.features.distributed.writing import write_samples
from recsys_lib.features.source_tables import FURTHER, INTERACTIONS, ITEMS


def write(
    spark: SparkSession,
    source: Path,
    folder: Path,
    partition: str,
    now: int,
    columns: list[str] | None,
) -> tuple[int, dict[str, int]]:
    """Write the samples of a data set; return the rows read, and those set aside by reason."""
    interactions, n_read = read_table(spark, source / INTERACTIONS, schema.INTERACTIONS)
    items, _ = read_table(spark, source / ITEMS, schema.ITEMS)
    users = None
    if columns is not None:
        users, triples = (
            read_table(spark, source / name, types)[0] if (source / name).exists() else None
            for name, types in FURTHER.items()
        )
        items = with_content(items, triples)
    kept = screened(interactions, now)
    samples = training_samples(kept, items, users, columns, _genres(source / ITEMS))
    rejected = partial(set_aside, interactions, now)
    return n_read, write_samples(spark, samples, rejected, n_read, folder, partition)


def _genres(path: Path) -> list[str]:
    """Return the different genres without a job of Spark's: they are as small as the catalogue."""
    lists = pq.read_table(path, columns=["genres"])["genres"]
    return pc.unique(pc.list_flatten(lists)).to_pylist()
