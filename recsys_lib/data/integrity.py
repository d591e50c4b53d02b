"""Looking again at a data set on disk: is it still what was stored?"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys_lib import schema
from recsys_lib.data.store import SMALL_TABLES, Dataset, Fingerprint

BATCH_ROWS = 1 << 20
# Tables of some sources only; their content counts in the fingerprint.
UNCHECKED_COLUMNS = ("user_ids", "item_ids", "planted")


def problems(dataset: Dataset) -> list[str]:
    """Return what is wrong with a stored data set, a sentence each; an empty list when all is well.

    Checked: files and columns, order, repeated ids, orphans, counts, and the fingerprint. The
    interactions are read in batches, so the size of the data does not matter.
    """
    found: list[str] = []
    fingerprint = Fingerprint()
    tables = _small_tables(dataset, fingerprint, found)
    path = dataset.path / "interactions.parquet"
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        return [*found, f"interactions.parquet cannot be read: {error}"]
    if not file.schema_arrow.remove_metadata().equals(schema.INTERACTIONS):
        return [*found, "interactions.parquet does not have the canonical columns and types."]
    n_rows, last = 0, None
    known = {name: table[name].to_numpy() for name, table in tables.items()}
    orphans = dict.fromkeys(known, 0)
    for batch in file.iter_batches(BATCH_ROWS):
        rows = {name: batch.column(name).to_numpy() for name in batch.schema.names}
        fingerprint.add_interactions(rows)
        n_rows += len(batch)
        last = _order(rows, last, found)
        for name, ids in known.items():
            orphans[name] += int((~np.isin(rows[name], ids)).sum())
    found += [
        f"{n:,} interactions have a {name} without a row." for name, n in orphans.items() if n
    ]
    stated = dataset.description["counts"]["interactions"]
    if n_rows != stated:
        found.append(f"{n_rows:,} interactions lie there, dataset.json says {stated:,}.")
    if fingerprint.value() != dataset.fingerprint:
        found.append("The content is not what was stored: its fingerprint differs.")
    return found


def _small_tables(dataset: Dataset, fingerprint: Fingerprint, found: list[str]) -> dict:
    """Add all small tables to the fingerprint; return those of ids, by id column."""
    ids = {}
    for name, fields in [*SMALL_TABLES.items(), *((name, None) for name in UNCHECKED_COLUMNS)]:
        path = dataset.path / f"{name}.parquet"
        if not path.exists():
            if name == "items":
                found.append("items.parquet is missing.")
            continue
        try:
            table = pq.read_table(path).replace_schema_metadata()
        except (OSError, pa.ArrowInvalid) as error:
            found.append(f"{name}.parquet cannot be read: {error}")
            continue
        fingerprint.add_table(name, table)
        # Parquet stores no 'not null' inside lists; names and types are what readers rely on.
        if fields is not None and [(f.name, f.type) for f in table.schema] != [
            (f.name, f.type) for f in fields
        ]:
            found.append(f"{name}.parquet does not have the canonical columns and types.")
            continue
        if name in ("items", "users"):
            column = schema.ITEM if name == "items" else schema.USER
            ids[column] = table
            if len(table[column].unique()) != len(table):
                found.append(f"{name}.parquet holds an id twice.")
    return ids


def _order(rows: dict, last: tuple | None, found: list[str]) -> tuple | None:
    """Note rows out of the order (timestamp, user_id, item_id); return the last row's key."""
    if not len(rows["timestamp"]):
        return last
    keys = [rows[name] for name in (schema.TIMESTAMP, schema.USER, schema.ITEM)]
    before, after = [key[:-1] for key in keys], [key[1:] for key in keys]
    rising = (after[0] > before[0]) | (
        (after[0] == before[0])
        & ((after[1] > before[1]) | ((after[1] == before[1]) & (after[2] > before[2])))
    )
    first = tuple(int(key[0]) for key in keys)
    sentence = "The interactions are not in order of time, user and item, or one is there twice."
    if (not rising.all() or (last is not None and first <= last)) and sentence not in found:
        found.append(sentence)
    return tuple(int(key[-1]) for key in keys)
