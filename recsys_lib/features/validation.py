"""What the samples job takes in: tables of the right form, and rows it can believe.

A table of another form is refused with one sentence. A row that cannot be right is set aside with
its reason, so that rows read = rows kept + rows set aside.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from recsys_lib.errors import DataError, nearest
from recsys_lib.schema import INTERACTIONS, ITEM, RATING, TIMESTAMP, USER

MISSING = "missing value"  # null in any column, or a rating that is no finite number
FUTURE = "timestamp in the future"
ANCIENT = "timestamp before 1970"
DUPLICATE = "duplicate"  # the same user, item and second again
REASONS = (MISSING, FUTURE, ANCIENT, DUPLICATE)

# What may stand in the files for a canonical type, widest first: it is read as the widest found.
_FITTING = {
    pa.int64(): ("int64", "int32", "int16", "int8"),
    pa.int16(): ("int16", "int8"),
    pa.float32(): ("double", "float"),  # stars survive single precision
    pa.string(): ("string", "large_string"),
    pa.list_(pa.string()): ("list<element: string>", "list<item: string>"),
}
_SPARK = {
    "int64": "bigint", "int32": "int", "int16": "smallint", "int8": "tinyint",
    "float": "float", "double": "double", "string": "string", "large_string": "string",
    "list<element: string>": "array<string>", "list<item: string>": "array<string>",
}  # fmt: skip


def read_table(spark: SparkSession, path: Path, types: pa.Schema) -> tuple[DataFrame, int]:
    """Read a Parquet file, or all in a folder, with checked columns; others are left out.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    path : Path
        The workers of a cluster must see it too.
    types : pyarrow.Schema
        The columns that must be there. Narrower integers, and double for float, are converted.

    Returns
    -------
    frame : pyspark.sql.DataFrame
    n_rows : int
        As the files' footers say; a file may be empty.

    Raises
    ------
    DataError
        There is no file, one is damaged, or a column is missing or of another type.
    """
    found: dict[str, set[str]] = {field.name: set() for field in types}
    n_rows = 0
    # Footers are small and say more than Spark would, which looks into one file alone.
    for file, parquet in _opened(path):
        n_rows += parquet.metadata.num_rows
        for field in types:
            found[field.name].add(_checked_type(parquet.schema_arrow, field, file))
    columns = {}
    for field in types:
        columns[field.name] = next(t for t in _FITTING[field.type] if t in found[field.name])
    schema = ", ".join(f"`{name}` {_SPARK[stored]}" for name, stored in columns.items())
    frame = spark.read.schema(schema).parquet(str(path))
    canonical = {
        field.name: _SPARK[str(field.type).replace("item:", "element:")] for field in types
    }
    casts = (f"cast({name} as {kind}) as {name}" for name, kind in canonical.items())
    return frame.selectExpr(*casts), n_rows


def count_rows(path: Path) -> int:
    """Return the rows of a Parquet file, or of all in a folder, as their footers say.

    Raises
    ------
    DataError
        There is no file, or one is damaged.
    """
    return sum(parquet.metadata.num_rows for _, parquet in _opened(path))


def _opened(path: Path) -> Iterator[tuple[Path, pq.ParquetFile]]:
    for file in _files(path):
        try:
            parquet = pq.ParquetFile(file)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(f"{file} cannot be read as Parquet: {error}") from None
        yield file, parquet


def _files(path: Path) -> list[Path]:
    """Return the Parquet files Spark would read; names with a leading ``_`` or ``.`` are hidden."""
    if path.is_file():
        return [path]
    files = sorted(p for p in path.rglob("*.parquet") if p.name[0] not in "_." and p.is_file())
    if not files:
        raise DataError(f"There are no Parquet files at {path}.")
    return files


def _checked_type(schema: pa.Schema, field: pa.Field, file: Path) -> str:
    if field.name not in schema.names:
        raise DataError(
            f"{file} has no column {field.name!r}.{nearest(field.name, schema.names)} "
            f"It has: {', '.join(schema.names) or 'none'}."
        )
    stored = str(schema.field(field.name).type)
    if stored not in _FITTING[field.type]:
        raise DataError(
            f"Column {field.name!r} of {file} is {stored}; it must be "
            f"{' or '.join(_FITTING[field.type])}."
        )
    return stored


def checked_item_ids(path: Path) -> pa.ChunkedArray:
    """Return the ids of the items, int64, in memory: they grow with the catalogue alone.

    Raises
    ------
    DataError
        An item has no id, or two rows: it would double samples.
    """
    ids = pq.read_table(path, columns=[ITEM])[ITEM].cast("int64")
    if ids.null_count:
        raise DataError(f"{path} has {ids.null_count} rows without an item_id.")
    counts = ids.value_counts()
    most = pc.max(pc.struct_field(counts, "counts")).as_py() if len(ids) else 1
    if most > 1:
        repeated = next(c["values"].as_py() for c in counts if c["counts"].as_py() == most)
        raise DataError(f"{path} has {most} rows for item {repeated}; it must have one.")
    return ids


def without_metadata(interactions: Path, known: pa.ChunkedArray) -> dict[str, int]:
    """Return how many items are not among the ``known``, and how many of the rows are theirs.

    Reads the ids alone, in pieces; what it keeps grows with the catalogue.
    """
    rows_of: Counter = Counter()
    for _, parquet in _opened(interactions):
        for batch in parquet.iter_batches(columns=[ITEM]):
            ids = batch[ITEM].drop_null().cast("int64")
            orphans = ids.filter(pc.invert(pc.is_in(ids, value_set=known)))
            rows_of.update(orphans.to_pylist())
    return {"items": len(rows_of), "rows": rows_of.total()}


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
    """Return the rows that :func:`screened` leaves out.

    They have a further column ``reason`` out of :data:`REASONS`, the first that applies.
    """
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
