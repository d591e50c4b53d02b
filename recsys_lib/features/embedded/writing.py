"""Writing a folder of samples piece by piece."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from recsys_lib.features.registry import FEATURES, arrow_schema
from recsys_lib.features.sample_folder import PERIODS, QUARANTINE, SAMPLES, period_column
from recsys_lib.schema import RATING, TIMESTAMP

PART = "part-0.parquet"


def period_of(period: str) -> pl.Expr:
    """Return the period in which an event lies: text, in UTC."""
    return pl.from_epoch(TIMESTAMP, "s").dt.strftime(PERIODS[period])


def write_samples(
    pieces: Iterable[pl.DataFrame], columns: list[str], folder: Path, partition: str
) -> None:
    """Write samples that come in order of time, a file for each period.

    Parameters
    ----------
    pieces : iterable of polars.DataFrame
        With the ``columns`` of the registry.
    """
    schema = arrow_schema(columns)
    runs = period_of(partition).rle().struct.unnest()  # length and period
    target = folder / SAMPLES
    target.mkdir()
    period, writer = None, None
    try:
        for piece in pieces:
            table = piece.to_arrow().cast(schema)
            first = 0
            for n, value in piece.select(runs).iter_rows():
                if value != period:
                    if writer is not None:
                        writer.close()
                    period = value
                    writer = _writer(target / f"{period_column(partition)}={value}", schema)
                writer.write_table(table.slice(first, n))
                first += n
    finally:
        if writer is not None:
            writer.close()
    if period is None:  # no row, no period; an empty file keeps the columns and types
        _writer(target, schema).close()


def write_rejected(rejected: pl.DataFrame, folder: Path) -> dict[str, int]:
    """Write the rows set aside, where there are any, and return how many for each ``reason``."""
    if rejected.is_empty():
        return {}
    target = folder / QUARANTINE
    target.mkdir()
    pq.write_table(rejected.to_arrow(), target / PART, compression="zstd", store_schema=False)
    return dict(rejected["reason"].value_counts().iter_rows())


def _writer(folder: Path, schema: pa.Schema) -> pq.ParquetWriter:
    folder.mkdir(exist_ok=True)
    # Running means hardly repeat: a dictionary of them is built in vain.
    repeating = [c for c in schema.names if FEATURES[c].dtype != "float32" or c == RATING]
    return pq.ParquetWriter(
        folder / PART, schema, compression="zstd", use_dictionary=repeating, store_schema=False
    )
