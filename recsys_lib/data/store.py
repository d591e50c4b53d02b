"""A data set as it lies on disk: canonical Parquet and ``dataset.json``, written whole or not."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys_lib import files, paths, schema
from recsys_lib.data import rejects
from recsys_lib.data.ids import Ids
from recsys_lib.data.knowledge_graph import facts_of_items
from recsys_lib.errors import DataError, nearest

DESCRIPTION = "dataset.json"
SOURCE_ID = "source_id"  # of the tables that say what the numbers of users and items stand for
SMALL_TABLES = {"items": schema.ITEMS, "users": schema.USERS, "triples": schema.TRIPLES}
N_SHOWN = 5  # of the rows that are set aside so many are shown
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def folder_of(name: str) -> Path:
    """Return where the data set called ``name`` lies; :class:`DataError` for no plain name."""
    if not NAME.fullmatch(name):
        raise DataError(
            f"{name!r} is no name for a data set: letters, digits, '-', '_' and '.', at most 64."
        )
    return paths.data_dir() / name


@dataclass(frozen=True)
class Dataset:
    """One data set. Its tables are read when first asked for, and kept.

    Attributes
    ----------
    name, path
        What it is called and its folder.
    """

    name: str
    path: Path

    @cached_property
    def description(self) -> dict:
        """What ``dataset.json`` says: source, counts, rejects, time span, licence, citation."""
        try:
            return files.read_json(self.path / DESCRIPTION)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{paths.shown(self.path / DESCRIPTION)} is damaged ({error}): get the data set "
                f"again (recsys data get {self.name} ...)."
            ) from None

    @property
    def fingerprint(self) -> str:
        """Hash of the canonical content, whatever the Parquet encoding."""
        return self.description["fingerprint"]

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """Rows (user_id, item_id, rating in stars, timestamp in s) sorted by time, user, item."""
        return pd.read_parquet(self.path / "interactions.parquet")

    @cached_property
    def items(self) -> pd.DataFrame:
        """One row an item, sorted by item_id; ``genres`` are lists of str."""
        frame = pd.read_parquet(self.path / "items.parquet")
        return frame.assign(
            release_year=frame["release_year"].astype("Int16"), genres=frame["genres"].map(list)
        )

    @cached_property
    def titles(self) -> pd.Series:
        """What to call each item, by ``item_id``: its title, else ``item`` and the source's id."""
        ids = self.items["item_id"]
        own = ids if self.item_ids is None else pd.Series(self.item_ids.raw_of(ids), dtype=object)
        called = "item " + own.astype(str)
        titles = self.items["title"].astype(object)
        return titles.where(titles.notna(), called).set_axis(ids)

    def has(self, what: str) -> bool:
        """Tell whether the source says something of its items: ``genres``, ``years``, ``people``.

        Raises
        ------
        DataError
            It is asked for something else.
        """
        if what == "genres":
            return bool(self.items["genres"].map(len).any())
        if what == "years":
            return bool(self.items["release_year"].notna().any())
        if what == "people":
            return len(facts_of_items(self.items, self.triples)) > 0
        raise DataError(f"A data set may have genres, years or people, not {what!r}.")

    @cached_property
    def users(self) -> pd.DataFrame | None:
        """One row a user sorted by user_id, or None where the source tells nothing of users."""
        path = self.path / "users.parquet"
        if not path.exists():
            return None
        frame = pd.read_parquet(path)
        return frame.assign(age=frame["age"].astype("Int16"))

    @cached_property
    def user_ids(self) -> Ids | None:
        """What the numbers of the users stand for; None where they stand for themselves."""
        return self._ids("user_id")

    @cached_property
    def item_ids(self) -> Ids | None:
        """What the numbers of the items stand for; None where they stand for themselves."""
        return self._ids("item_id")

    def _ids(self, column: str) -> Ids | None:
        path = self.path / f"{column}s.parquet"
        return Ids.from_arrow(pq.read_table(path), SOURCE_ID) if path.exists() else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the interactions that the source had: without ``rating`` all are likes,
        without ``timestamp`` moments give no more than the order."""
        return tuple(self.description.get("columns", schema.INTERACTIONS.names))

    @cached_property
    def triples(self) -> pd.DataFrame | None:
        """Knowledge-graph facts (head, relation, tail), or None."""
        path = self.path / "triples.parquet"
        return pd.read_parquet(path) if path.exists() else None


def present() -> list[str]:
    """Return the names of the data sets on disk."""
    folder = paths.data_dir()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return sorted(path.parent.name for path in folder.glob(f"[!.]*/{DESCRIPTION}"))


def load(name: str) -> Dataset:
    """Return the data set called ``name``; :class:`DataError` when it is not on disk."""
    folder = folder_of(name)
    if not (folder / DESCRIPTION).is_file():
        raise DataError(
            f"Data set {name!r} is not in {paths.shown(paths.data_dir())}."
            f"{nearest(name, present())} Fetch it: recsys data get {name}"
        )
    return Dataset(name, folder)


def tidy(name: str) -> None:
    """Clear what a killed writer of ``name`` left behind; call it under the data set's lock.

    If it was killed between moving the old data set away and the new one in, the old one returns.
    """
    folder = folder_of(name)
    for holder in files.leftovers(folder):
        if (holder / "old").is_dir() and not folder.exists():
            os.replace(holder / "old", folder)
        shutil.rmtree(holder, ignore_errors=True)


class Fingerprint:
    """Hash of canonical content: column by column, so that block sizes do not matter."""

    def __init__(self):
        self._columns = {name: hashlib.sha256() for name in schema.INTERACTIONS.names}
        self._tables: dict[str, str] = {}

    def add_interactions(self, rows: dict[str, np.ndarray]) -> None:
        """Add the next block of interactions, in order."""
        for name, column in self._columns.items():
            dtype = np.dtype(schema.INTERACTIONS.field(name).type.to_pandas_dtype())
            values = np.ascontiguousarray(rows[name], dtype=dtype.newbyteorder("<"))
            column.update(values.tobytes())

    def add_table(self, name: str, table: pa.Table) -> None:
        """Add a small table."""
        content = json.dumps(table.to_pydict(), ensure_ascii=False, sort_keys=True, default=repr)
        self._tables[name] = hashlib.sha256(content.encode()).hexdigest()

    def value(self) -> str:
        """Return the hash as hexadecimal text."""
        parts = {name: column.hexdigest() for name, column in self._columns.items()}
        return hashlib.sha256(
            json.dumps([parts, self._tables], sort_keys=True).encode()
        ).hexdigest()


def _union(known: np.ndarray, more: np.ndarray) -> np.ndarray:
    return np.sort(pd.unique(np.concatenate([known, more])))


class DatasetWriter:
    """Writes the tables of one data set into a folder and counts what goes in."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.rejected: Counter = Counter()
        self.n_interactions = 0
        self.time_span: list[int] | None = None
        self.rating_range: list[float] | None = None
        self._users = np.empty(0, dtype=np.int64)
        self._items = np.empty(0, dtype=np.int64)
        self._n_table_rows: dict[str, int] = {}
        self._fingerprint = Fingerprint()
        self._interactions = pq.ParquetWriter(
            folder / "interactions.parquet", schema.INTERACTIONS, compression="zstd"
        )
        self._rejects = pq.ParquetWriter(
            folder / "rejects.parquet", rejects.SCHEMA, compression="zstd"
        )
        self.first_rejects: list[pd.DataFrame] = []

    def interactions(self, rows: dict[str, np.ndarray]) -> None:
        """Append a block of kept rows; blocks come in the canonical order."""
        if not len(rows["timestamp"]):
            return
        names = schema.INTERACTIONS.names
        table = pa.table([rows[name] for name in names], schema=schema.INTERACTIONS)
        self._interactions.write_table(table)
        self._fingerprint.add_interactions(rows)
        self.n_interactions += len(table)
        self._users = _union(self._users, rows["user_id"])
        self._items = _union(self._items, rows["item_id"])
        times, stars = rows["timestamp"], rows["rating"]
        low, high = float(stars.min()), float(stars.max())
        if self.time_span is None:
            self.time_span, self.rating_range = [int(times[0]), int(times[-1])], [low, high]
        self.time_span[1] = int(times[-1])
        self.rating_range = [min(low, self.rating_range[0]), max(high, self.rating_range[1])]

    def add(self, frame: pd.DataFrame) -> None:
        """Append rows that were set aside, as :func:`recsys_lib.data.rejects.rejects` frames."""
        if len(frame):
            table = pa.Table.from_pandas(frame, rejects.SCHEMA, preserve_index=False)
            self._rejects.write_table(table)
            self.rejected.update(frame["reason"].tolist())
            if sum(map(len, self.first_rejects)) < N_SHOWN:
                self.first_rejects.append(frame.head(N_SHOWN))

    def ids(self, id_column: str, ids: Ids | None) -> None:
        """Write what the numbers of users or items stand for, where they are not themselves."""
        if ids is not None:
            table = ids.to_arrow(SOURCE_ID)
            field = pa.field(id_column, pa.int64(), nullable=False)
            table = table.add_column(0, field, pa.array(range(len(ids)), pa.int64()))
            self._write(f"{id_column}s", table)

    def table(self, name: str, frame: pd.DataFrame, fields: pa.Schema | None = None) -> None:
        """Write a small table (items, users, triples, or one with its own schema)."""
        table = pa.Table.from_pandas(
            frame, schema=fields or SMALL_TABLES[name], preserve_index=False
        ).replace_schema_metadata()
        self._write(name, table)

    def _write(self, name: str, table: pa.Table) -> None:
        pq.write_table(table, self.folder / f"{name}.parquet", compression="zstd")
        self._fingerprint.add_table(name, table)
        self._n_table_rows[name] = len(table)

    def item_ids(self) -> np.ndarray:
        """Return the ids of the items of the interactions so far, sorted int64."""
        return self._items

    def finish(self, description: dict) -> None:
        """Close the tables and write ``dataset.json``.

        ``description`` gives name, source, rating_scale, license and citation.
        """
        self._interactions.close()
        self._rejects.close()
        # An empty file of rejects would say nothing that the counts don't.
        if not self.rejected:
            (self.folder / "rejects.parquet").unlink()
        counts = {
            "interactions": self.n_interactions,
            "users": self._n_table_rows.get("users", len(self._users)),
            "items": self._n_table_rows.get("items", len(self._items)),
            "active_users": len(self._users),
            "active_items": len(self._items),
            "triples": self._n_table_rows.get("triples", 0),
        }
        facts = {
            "counts": counts,
            "rejects": dict(self.rejected.most_common()),
            "time_span": self.time_span,
            "rating_range": self.rating_range,
            "created_with": {"recsys-lib": version("recsys-lib")},
            "fingerprint": self._fingerprint.value(),
        }
        files.write_json(self.folder / DESCRIPTION, description | facts)

    def close(self) -> None:
        """Close the files; harmless after :meth:`finish`."""
        self._interactions.close()
        self._rejects.close()


@contextmanager
def writing(name: str) -> Iterator[DatasetWriter]:
    """Yield a writer whose folder takes the place of data set ``name`` if the block succeeds."""
    with files.atomic_folder(folder_of(name)) as folder:
        writer = DatasetWriter(folder)
        try:
            yield writer
        finally:
            writer.close()
