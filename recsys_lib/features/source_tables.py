"""What the samples job takes in: Parquet tables of the right form, and rows it can believe.

A table of another form is refused with one sentence. A row that cannot be right is set aside with
its reason, so that rows read = rows kept + rows set aside. Which rows those are is said here; each
engine finds them in its own way.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys_lib import schema
from recsys_lib.errors import DataError, nearest

MISSING = "missing value"  # null in any column, or a rating that is no finite number
FUTURE = "timestamp in the future"
ANCIENT = "timestamp before 1970"
DUPLICATE = "duplicate"  # the same user, item and second again; the highest rating is kept
REASONS = (MISSING, FUTURE, ANCIENT, DUPLICATE)  # the first that applies is given

INTERACTIONS, ITEMS = "interactions.parquet", "items.parquet"
# Read where features of all families are asked for, and where the data set has them.
FURTHER = {"users.parquet": schema.USERS, "triples.parquet": schema.TRIPLES}

# What may stand in the files for a canonical type, widest first: it is read as the widest found.
_FITTING = {
    pa.int64(): ("int64", "int32", "int16", "int8"),
    pa.int16(): ("int16", "int8"),
    pa.float32(): ("double", "float"),  # stars survive single precision
    pa.string(): ("string", "large_string"),
    pa.list_(pa.string()): ("list<element: string>", "list<item: string>"),
}


def checked_table(path: Path, types: pa.Schema) -> tuple[dict[str, str], list[Path], int]:
    """Look at the footers of a Parquet file, or of all in a folder.

    Parameters
    ----------
    path : Path
    types : pyarrow.Schema
        The columns that must be there. Narrower integers, and double for float, are let pass.

    Returns
    -------
    stored : dict of str to str
        The widest type in which each column is stored, in Arrow's words.
    files : list of Path
    n_rows : int
        A file may be empty.

    Raises
    ------
    DataError
        There is no file, one is damaged, or a column is missing or of another type.
    """
    found: dict[str, set[str]] = {field.name: set() for field in types}
    files, n_rows = [], 0
    for file, parquet in _opened(path):
        files.append(file)
        n_rows += parquet.metadata.num_rows
        for field in types:
            found[field.name].add(_checked_type(parquet.schema_arrow, field, file))
    stored = {f.name: next(t for t in _FITTING[f.type] if t in found[f.name]) for f in types}
    return stored, files, n_rows


def check_source(source: Path) -> None:
    """Look at the tables of a data set's folder, before an engine takes its time to start.

    Raises
    ------
    DataError
        As :func:`checked_table` and :func:`checked_item_ids` say.
    """
    checked_table(source / INTERACTIONS, schema.INTERACTIONS)
    checked_table(source / ITEMS, schema.ITEMS)
    checked_item_ids(source / ITEMS)


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


def _checked_type(stored: pa.Schema, field: pa.Field, file: Path) -> str:
    if field.name not in stored.names:
        raise DataError(
            f"{file} has no column {field.name!r}.{nearest(field.name, stored.names)} "
            f"It has: {', '.join(stored.names) or 'none'}."
        )
    kind = str(stored.field(field.name).type)
    if kind not in _FITTING[field.type]:
        raise DataError(
            f"Column {field.name!r} of {file} is {kind}; it must be "
            f"{' or '.join(_FITTING[field.type])}."
        )
    return kind


def checked_item_ids(path: Path) -> pa.ChunkedArray:
    """Return the ids of the items, int64, in memory: they grow with the catalogue alone.

    Raises
    ------
    DataError
        An item has no id, or two rows: it would double samples.
    """
    # Not pyarrow's read_table, which imports pandas.
    tables = [parquet.read([schema.ITEM]) for _, parquet in _opened(path)]
    ids = pa.concat_tables(tables)[schema.ITEM].cast("int64")
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
    rows_of: dict[int, int] = {}
    for _, parquet in _opened(interactions):
        for batch in parquet.iter_batches(columns=[schema.ITEM]):
            ids = batch[schema.ITEM].drop_null().cast("int64")
            orphans = ids.filter(pc.invert(pc.is_in(ids, value_set=known)))
            for item in orphans.to_pylist():
                rows_of[item] = rows_of.get(item, 0) + 1
    return {"items": len(rows_of), "rows": sum(rows_of.values())}
