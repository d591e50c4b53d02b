"""Which line of a file a row begins on, although rows may be broken or hold line ends in quotes."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from recsys_lib.data.text_stream import UNIT_SEPARATOR, count_lines


@dataclass(frozen=True)
class Rows:
    """A block of rows: ``columns`` name -> values (n,), ``lines`` int64 (n,), counted from 1."""

    columns: dict[str, pa.Array]
    lines: np.ndarray


@dataclass
class BrokenLines:
    """Lines with another number of fields than the file has columns."""

    lines: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, line: int, text: str, reason: str) -> None:
        """Note one line."""
        self.lines.append(line)
        self.texts.append(text)
        self.reasons.append(reason)


class LineNumbers:
    """The line of each row of a file, whose rows may be broken, or hold line ends in quotes."""

    def __init__(self, noted: list[arrow_csv.InvalidRow], broken: BrokenLines):
        self._noted, self._broken = noted, broken
        self._n_whole = self._n_broken = self._n_newlines = 0
        self._last = (0, 0, 0)  # of the last row: number, line, newlines

    def of(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the line on which each row of the next batch begins: int64 (n,)."""
        whole = np.arange(self._n_whole, self._n_whole + len(batch))
        pending = self._noted[self._n_broken :]
        numbers = np.array([row.number for row in pending], dtype=np.int64)
        # The i-th whole row comes after as many broken ones as precede it.
        before = numbers - 1 - self._n_broken - np.arange(len(pending))
        rows = whole + 1 + self._n_broken + np.searchsorted(before, whole, side="right")
        self._n_whole += len(batch)
        passed = int((numbers < rows[-1]).sum()) if len(rows) else 0
        return self._placed(rows, _newlines(batch), pending[:passed])

    def finish(self) -> None:
        """Number the broken rows after the last whole one."""
        nothing = np.empty(0, dtype=np.int64)
        self._placed(nothing, nothing, self._noted[self._n_broken :])

    @property
    def last_row_has_newline(self) -> bool:
        """Whether the last row runs over several lines."""
        return self._last[2] > 0

    def open_quote(self, name: str) -> str:
        """Return the sentence about a quotation mark that is never closed."""
        line = self._last[1] if self.last_row_has_newline else sum(self._last[1:]) + 1
        return (
            f"{name}: the row that begins on line {line:,} never ends. Its quotation mark is "
            "opened and not closed; write a quotation mark inside a quoted field twice."
        )

    def _placed(self, rows: np.ndarray, newlines: np.ndarray, broken: list) -> np.ndarray:
        texts = [(row.text or "").replace(UNIT_SEPARATOR, "::") for row in broken]
        numbers = np.concatenate([rows, np.array([row.number for row in broken], dtype=np.int64)])
        newlines = np.concatenate([newlines, np.array([count_lines(t) for t in texts], np.int64)])
        order = np.argsort(numbers, kind="stable")
        lines = np.empty(len(numbers), dtype=np.int64)
        earlier = np.cumsum(newlines[order]) - newlines[order]
        lines[order] = numbers[order] + self._n_newlines + earlier
        if len(order):
            last = order[-1]
            self._last = (numbers[last], int(lines[last]), int(newlines[last]))
        for row, text, line in zip(broken, texts, lines[len(rows) :].tolist(), strict=True):
            n = row.actual_columns
            reason = f"{n} field{'' if n == 1 else 's'} instead of {row.expected_columns}"
            self._broken.add(line, text, reason)
        self._n_newlines += int(newlines.sum())
        self._n_broken += len(broken)
        return lines[: len(rows)]


def _newlines(batch: pa.RecordBatch) -> np.ndarray:
    """Return the line ends within each row of a batch: int64 (n,)."""
    counts = np.zeros(len(batch), dtype=np.int64)
    for column in batch.columns:
        for mark, sign in (("\n", 1), ("\r", 1), ("\r\n", -1)):
            if pc.any(pc.match_substring(column, mark)).as_py():
                counts += sign * pc.count_substring(column, mark).to_numpy(zero_copy_only=False)
    return counts
