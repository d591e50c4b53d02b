"""Sorting more rows than fit in memory: sorted runs on disk, merged slice of time by slice of time.

Rows that tie in time stay in one slice, so a duplicate (same user, item and timestamp) always
meets its first copy. Memory is bounded by the slice, except that rows of one single second are
never divided.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

COLUMNS = {
    "timestamp": np.int64,
    "user_id": np.int64,
    "item_id": np.int64,
    "rating": np.float32,
    "line": np.int64,
}
SLICE_ROWS = 1 << 20
SAMPLE_EVERY = 256

Columns = dict[str, np.ndarray]


class SortedRuns:
    """Rows added in any order, given back in order of (timestamp, user_id, item_id, line)."""

    def __init__(self, folder: Path):
        self._folder = Path(folder)
        self._runs: list[Columns] = []
        self.n_rows = 0

    def add(self, rows: Columns) -> None:
        """Write one block of rows, arrays (n,) by the names of ``COLUMNS``, sorted by time."""
        n_rows = len(rows["timestamp"])
        if not n_rows:
            return
        order = np.argsort(rows["timestamp"], kind="stable")
        run = {}
        for name, dtype in COLUMNS.items():
            path = self._folder / f"run-{len(self._runs)}-{name}.npy"
            np.save(path, rows[name][order].astype(dtype, copy=False))
            run[name] = np.load(path, mmap_mode="r")
        self._runs.append(run)
        self.n_rows += n_rows

    def _bounds(self) -> np.ndarray:
        """Return the first timestamp of each slice, slices of about ``SLICE_ROWS`` rows."""
        sample = np.sort(np.concatenate([run["timestamp"][::SAMPLE_EVERY] for run in self._runs]))
        step = max(1, SLICE_ROWS // SAMPLE_EVERY)
        return np.unique(sample[step::step])

    def merged(self) -> Iterator[tuple[Columns, np.ndarray]]:
        """Yield (rows of one slice of time, whether each repeats an earlier one), in order."""
        if not self._runs:
            return
        bounds = self._bounds()
        starts = [
            np.concatenate([[0], np.searchsorted(run["timestamp"], bounds), [len(run["line"])]])
            for run in self._runs
        ]
        for part in range(len(bounds) + 1):
            rows = {
                name: np.concatenate(
                    [
                        run[name][start[part] : start[part + 1]]
                        for run, start in zip(self._runs, starts, strict=True)
                    ]
                )
                for name in COLUMNS
            }
            if not len(rows["line"]):
                continue
            keys = ("line", "item_id", "user_id", "timestamp")
            order = np.lexsort([rows[name] for name in keys])
            rows = {name: values[order] for name, values in rows.items()}
            repeats = np.zeros(len(order), dtype=bool)
            repeats[1:] = np.logical_and.reduce(
                [rows[name][1:] == rows[name][:-1] for name in keys[1:]]
            )
            yield rows, repeats
