"""Rows and lines that were set aside: where each lies, which value was wrong, and why."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys_lib.data.line_numbers import BrokenLines
from recsys_lib.data.tables import Table

SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("column", pa.string()),  # null where no single column is to blame
        pa.field("value", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
DUPLICATE = "duplicate"
HEADER = "the header once more"
ORPHANS = {"user": "orphan user", "item": "orphan item"}
LONGEST = 1_000  # characters of a value that are kept


def rejects(file: str, lines, column, values: Sequence, reason) -> pd.DataFrame:
    """Return rejects of one file as a frame with the columns of :data:`SCHEMA`."""
    texts = [None if each is None else str(each)[:LONGEST] for each in values]
    frame = pd.DataFrame({"file": file, "line": np.asarray(lines, dtype=np.int64)})
    return frame.assign(column=column, value=texts, reason=reason)


def broken_lines(file: str, broken: BrokenLines) -> pd.DataFrame:
    """Return lines that could not be cut into columns as rejects."""
    return rejects(file, broken.lines, None, broken.texts, broken.reasons)


class Rejects:
    """Collects rejects in memory.

    Attributes
    ----------
    counts : Counter
        Rejects by reason.
    """

    def __init__(self):
        self._parts: list[pd.DataFrame] = []
        self.counts: Counter = Counter()

    def add(self, frame: pd.DataFrame) -> None:
        """Add a frame of rejects."""
        if len(frame):
            self._parts.append(frame)
            self.counts.update(frame["reason"].tolist())

    def frame(self) -> pd.DataFrame:
        """Return all of them, by file and line."""
        if not self._parts:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in SCHEMA.names})
        frame = pd.concat(self._parts, ignore_index=True)
        return frame.sort_values(["file", "line"], kind="stable", ignore_index=True)


def in_words(frame: pd.DataFrame, place: str = "line", n: int = 5) -> list[str]:
    """Return the first few rejects, a line of text each."""
    said = []
    for each in frame.head(n).itertuples():
        value = each.value or ""
        shown = repr(value if len(value) <= 60 else value[:57] + "...")
        column = f"{each.column} " if isinstance(each.column, str) else ""
        said.append(
            f"{Path(each.file).name}, {place} {each.line:,}: {column}{shown}: {each.reason}"
        )
    return said


def nothing_left(table: Table, n_read: int, frame: pd.DataFrame) -> str:
    """Return the sentence that no row can be used, with the first that were set aside."""
    if not n_read:
        return f"{table.path.name} holds no rows."
    first = "; ".join(in_words(frame, table.place, 3))
    return f"{table.path.name} holds no row that can be used; {n_read:,} were read. {first}."
