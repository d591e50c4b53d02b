"""Features as partitioned Parquet on a file system: slow to read one by one, and all is kept.

Every version stays, so that an offline evaluation can read what was known at any earlier moment.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys_lib import files
from recsys_lib.data.matrix import index_of
from recsys_lib.errors import DataError
from recsys_lib.schema import TIMESTAMP
from recsys_lib.stores.feature_store import (
    FeatureStore,
    StoreUnavailable,
    Version,
    row_times,
    times_of,
)
from recsys_lib.stores.point_in_time import latest_known
from recsys_lib.stores.rows import CREATED

INDEX, ROWS = "versions.json", "rows.parquet"
ROWS_A_GROUP = 5_000  # a read of one user decodes one group
FEATURE_TIME = "feature_timestamp"


class ParquetFeatureStore(FeatureStore):
    """Features on a file system: a folder for each version, and one file that lists them.

    A version's files never change; replacing the list is what publishes. A row has two further
    columns, ``timestamp`` (the moment its values are of) and ``created_timestamp`` (when it came to
    be known: by default when it was published).

    Parameters
    ----------
    folder : Path
        ``versions.json`` and ``version=<name>/rows.parquet``.
    **settings
        See :class:`FeatureStore`.
    """

    def __init__(self, folder: Path, **settings):
        super().__init__(**settings)
        self.folder = Path(folder)

    def current(self) -> Version | None:
        """Return the version that readers see, or None before the first."""
        index = self._index()
        return _version(index, index["current"])

    def previous(self) -> Version | None:
        """Return the version that :meth:`roll_back` would make current, or None."""
        index = self._index()
        return _version(index, index["previous"])

    def names(self) -> list[str]:
        """Return the names of all versions, in the order in which they were published."""
        return list(self._index()["versions"])

    def roll_back(self) -> Version:
        """Make the previous version current: see :meth:`FeatureStore.roll_back`."""
        with self._writing() as index:
            if index["previous"] is None:
                raise DataError("There is no earlier version to roll back to.")
            index["current"], index["previous"] = index["previous"], index["current"]
            return _version(index, index["current"])

    def table(self, version: str | None = None) -> pa.Table:
        """Return all rows of a version (the current one by default): key, features, both times.

        Raises
        ------
        DataError
            There is no such version.
        """
        index = self._index()
        version = version or index["current"]
        if version not in index["versions"]:
            known = ", ".join(index["versions"]) or "none"
            raise DataError(
                f"There is no version {version!r} in {self.folder}; there are: {known}."
            )
        return self._read(version)

    def as_of(self, pairs: pd.DataFrame, columns: list[str] | None = None) -> pd.DataFrame:
        """Return features of many (key, moment) pairs as they were known at that moment.

        All versions are asked, those that were rolled back as well. A row past its time-to-live at
        the moment asked for counts as missing, and so does one that was created after it.

        Parameters
        ----------
        pairs : DataFrame
            The key and ``timestamp`` (s since 1970), in any order; a pair may repeat.
        columns : list of str, optional
            Features to return; by default all.

        Returns
        -------
        DataFrame
            A row for each pair, in the order and with the index of the pairs: their two columns,
            ``feature_timestamp`` (of the row found; NaN without one) and the features.
        """
        asked_keys = pairs[self.key].to_numpy(np.int64)
        asked_at = pairs[TIMESTAMP].to_numpy(np.float64)
        wanted = [("timestamp", "<=", asked_at.max(initial=-np.inf))]
        if len(pairs) < 10_000:  # a longer list costs more than it saves
            wanted.append((self.key, "in", np.unique(asked_keys).tolist()))
        parts = [self._read(name, wanted) for name in self.names()]
        empty = pa.table({c: [] for c in (self.key, TIMESTAMP, CREATED)})
        history = pa.concat_tables(parts or [empty], promote_options="permissive")
        known = latest_known(
            history[self.key].to_numpy(),
            history[TIMESTAMP].to_numpy(),
            history[CREATED].to_numpy(),
            asked_keys,
            asked_at,
        )
        if self.ttl_s is not None and len(history):
            known = np.where(
                asked_at - history[TIMESTAMP].to_numpy()[known] <= self.ttl_s, known, -1
            )
        features = columns or [c for c in history.column_names if c not in empty.column_names]
        taken = history.take(pa.array(known, mask=known < 0))
        found = taken.select([TIMESTAMP, *features]).to_pandas(types_mapper=_NULLABLE.get)
        found = found.rename(columns={TIMESTAMP: FEATURE_TIME}).set_index(pairs.index)
        return pd.concat([pairs[[self.key, TIMESTAMP]], found], axis=1)

    def _publish(self, version, table, rows) -> None:
        created = times_of(rows, CREATED, version.published)
        table = table.append_column(TIMESTAMP, pa.array(row_times(rows, version)))
        table = table.append_column(CREATED, pa.array(created)).sort_by(self.key)
        with self._writing() as index, files.atomic_folder(self._of(version.name)) as fresh:
            pq.write_table(table, fresh / ROWS, compression="zstd", row_group_size=ROWS_A_GROUP)
            index["versions"][version.name] = asdict(version)
            index["current"], index["previous"] = version.name, index["current"]

    def _fetch(self, keys):
        version = self.current()
        if version is None:
            return None, [None] * len(keys)
        table = self._read(version.name, [(self.key, "in", np.unique(keys).tolist())])
        packed = version.row_format.pack(table, table[TIMESTAMP].to_numpy())
        places = index_of(table[self.key].to_numpy(), keys)
        return version, [None if place < 0 else packed[place] for place in places.tolist()]

    def _of(self, version: str) -> Path:
        return self.folder / f"version={version}"

    def _read(self, version: str, wanted=None) -> pa.Table:
        try:
            return pq.read_table(self._of(version) / ROWS, filters=wanted, partitioning=None)
        except OSError as error:
            raise StoreUnavailable(f"Version {version!r} can't be read: {error}") from None

    def _index(self) -> dict:
        try:
            return files.read_json(self.folder / INDEX)
        except FileNotFoundError:
            return {"current": None, "previous": None, "versions": {}}
        except (OSError, json.JSONDecodeError) as error:
            raise StoreUnavailable(f"{self.folder / INDEX} can't be read: {error}") from None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[dict]:
        """Yield the list of versions under a lock; replace it if the block succeeds."""
        with files.locked(self.folder / INDEX):
            index = self._index()
            self._sweep(index)
            yield index
            files.write_json(self.folder / INDEX, index)

    def _sweep(self, index: dict) -> None:
        """Remove what a killed writer left: versions that the list lacks, unfinished files."""
        kept = {self._of(name).name for name in index["versions"]}
        for path in self.folder.glob("version=*"):
            if path.name not in kept:
                files.remove_folder(path)
        for names in ("version=*", INDEX):
            for left in files.leftovers_in(self.folder, names):
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _version(index: dict, name: str | None) -> Version | None:
    return None if name is None else Version(**index["versions"][name])


# Whole numbers with gaps stay whole.
_NULLABLE = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
}
