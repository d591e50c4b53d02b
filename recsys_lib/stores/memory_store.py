"""Features in the process's own memory: the fastest, and only as many as fit beside the server."""

import threading
from dataclasses import dataclass

import numpy as np

from recsys_lib.data.matrix import index_of
from recsys_lib.errors import DataError
from recsys_lib.stores.feature_store import FeatureStore, Version, row_times


@dataclass(frozen=True)
class _Rows:
    """The rows of a version, one after the other in one block of bytes."""

    version: Version
    keys: np.ndarray  # int64 (n,), sorted
    starts: np.ndarray  # int64 (n + 1,), in the block
    block: bytes


class MemoryFeatureStore(FeatureStore):
    """Features in memory; a version is one object, and changing it is one assignment.

    A reader takes the object once and answers from it, whatever is published meanwhile.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        self._versions: tuple[_Rows | None, _Rows | None] = (None, None)  # current, previous
        self._writing = threading.Lock()

    def current(self) -> Version | None:
        """Return the version that readers see, or None before the first."""
        rows, _ = self._versions
        return rows and rows.version

    def previous(self) -> Version | None:
        """Return the version that :meth:`roll_back` would make current, or None."""
        _, rows = self._versions
        return rows and rows.version

    def roll_back(self) -> Version:
        """Make the previous version current: see :meth:`FeatureStore.roll_back`."""
        with self._writing:
            current, previous = self._versions
            if previous is None:
                raise DataError("There is no earlier version to roll back to.")
            self._versions = (previous, current)
            return previous.version

    @property
    def nbytes(self) -> int:
        """Bytes of the current version's rows and of what finds them."""
        rows, _ = self._versions
        return 0 if rows is None else len(rows.block) + rows.keys.nbytes + rows.starts.nbytes

    def _publish(self, version, table, rows) -> None:
        packed = version.row_format.pack(table, row_times(rows, version))
        keys = table[version.key].to_numpy()
        order = np.argsort(keys)
        packed = [packed[place] for place in order]
        starts = np.cumsum([0, *map(len, packed)])
        with self._writing:
            current, _ = self._versions
            self._versions = (_Rows(version, keys[order], starts, b"".join(packed)), current)

    def _fetch(self, keys):
        rows, _ = self._versions
        if rows is None:
            return None, [None] * len(keys)
        places = index_of(rows.keys, keys)
        return rows.version, [
            None if place < 0 else rows.block[rows.starts[place] : rows.starts[place + 1]]
            for place in places.tolist()
        ]
