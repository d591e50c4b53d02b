"""Reading large delimited text in blocks, keeping the line number of every row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from recsys_lib.errors import DataError

BLOCK_BYTES = 16 << 20
UNIT_SEPARATOR = "\x1f"  # stands in for '::', which no reader takes as a separator


@dataclass(frozen=True)
class Rows:
    """A block of rows as text: ``columns`` name -> string array (n,), ``lines`` int64 (n,)."""

    columns: dict[str, pa.Array]
    lines: np.ndarray


@dataclass
class BrokenLines:
    """Lines with another number of fields than the file has columns."""

    lines: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class _Utf8Blocks:
    """A file as UTF-8 in whole lines, with '::' made one character.

    A block that is not UTF-8 is taken as Latin-1 (MovieLens 100K and 1M are).
    """

    def __init__(self, raw: BinaryIO, double_colon: bool):
        self._raw, self._double_colon = raw, double_colon
        self._kept = b""
        self._start = True
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        block = self._raw.read(size if size > 0 else BLOCK_BYTES)
        if self._start:
            self._start, block = False, block.removeprefix(b"\xef\xbb\xbf")
        if block:
            text = self._kept + block
            cut = text.rfind(b"\n") + 1
            text, self._kept = text[:cut], text[cut:]
            if not text:  # a line longer than the block: go on reading it
                return self.read(size)
        else:
            text, self._kept = self._kept, b""
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            text = text.decode("latin-1").encode("utf-8")
        if self._double_colon:
            # In 'Title:::Genre' the separator is the last two colons.
            text = re.sub(rb"::(?!:)", UNIT_SEPARATOR.encode(), text)
        return text

    def close(self) -> None:
        self._raw.close()
        self.closed = True


class Delimited:
    """One delimited text file.

    Parameters
    ----------
    separator
        One character, or ``"::"``.
    names
        The columns of a file without a header line; None reads them from the first line.
    quoted
        Whether double quotes may surround a field.
    """

    def __init__(self, path: Path, separator: str, names: list[str] | None, quoted: bool = False):
        self.path, self.separator, self.quoted = Path(path), separator, quoted
        self.has_header = names is None
        self.names = names if names is not None else self._header()

    def _header(self) -> list[str]:
        with open(self.path, "rb") as stream:
            line = stream.readline(1 << 16)
        text = line.decode("utf-8-sig", errors="replace").strip("\r\n")
        # RecBole writes 'user_id:token'; the type after the colon says nothing more to us.
        names = [name.strip().strip('"') for name in text.split(self.separator)]
        return [re.sub(r":(token|float|token_seq|float_seq)$", "", name) for name in names]

    def require(self, wanted: list[str]) -> None:
        """Raise :class:`DataError` when a wanted column is not there."""
        missing = [name for name in wanted if name not in self.names]
        if missing:
            raise DataError(
                f"{self.path.name} has no column {missing[0]!r}; its first line names: "
                f"{', '.join(map(repr, self.names))}."
            )

    def blocks(self, wanted: list[str], broken: BrokenLines) -> Iterator[Rows]:
        """Yield the wanted columns as text; lines of another width go to ``broken``."""
        self.require(wanted)
        first = 2 if self.has_header else 1
        numbers: list[int] = []

        def note(row: csv.InvalidRow) -> str:
            # pyarrow counts from 1, a skipped header line included.
            numbers.append(row.number)
            broken.lines.append(row.number)
            text = row.text if row.text else ""
            broken.texts.append(text.replace(UNIT_SEPARATOR, "::"))
            return "skip"

        single = UNIT_SEPARATOR if self.separator == "::" else self.separator
        # Typed names would confuse pyarrow's own header reading: skip the line, give the names.
        reading = csv.ReadOptions(
            use_threads=False,
            block_size=BLOCK_BYTES,
            column_names=self.names,
            skip_rows=1 if self.has_header else 0,
        )
        parsing = csv.ParseOptions(
            delimiter=single,
            quote_char='"' if self.quoted else False,
            ignore_empty_lines=False,
            invalid_row_handler=note,
        )
        converting = csv.ConvertOptions(
            column_types=dict.fromkeys(self.names, pa.string()),
            include_columns=wanted,
            strings_can_be_null=False,
        )
        seen = 0
        with open(self.path, "rb") as raw:
            stream = _Utf8Blocks(raw, self.separator == "::")
            try:
                source = pa.PythonFile(stream, mode="r")
                for batch in csv.open_csv(source, reading, parsing, converting):
                    rows = np.arange(seen, seen + batch.num_rows)
                    seen += batch.num_rows
                    # The i-th whole row lies after as many broken lines as precede it.
                    before = np.asarray(numbers, dtype=np.int64) - first - np.arange(len(numbers))
                    lines = rows + first + np.searchsorted(before, rows, side="right")
                    yield Rows(
                        {name: batch.column(i) for i, name in enumerate(wanted)},
                        lines.astype(np.int64),
                    )
            except pa.ArrowInvalid as error:
                if "Empty CSV" in str(error):
                    return
                raise DataError(f"{self.path.name} cannot be read: {error}") from error

    def frame(self, wanted: list[str], broken: BrokenLines) -> pd.DataFrame:
        """Read a small file whole: the wanted columns as str, and ``line`` int64."""
        parts = [
            pd.DataFrame({name: column.to_pandas() for name, column in rows.columns.items()})
            .astype(object)
            .assign(line=rows.lines)
            for rows in self.blocks(wanted, broken)
        ]
        if not parts:
            return pd.DataFrame(columns=[*wanted, "line"], dtype=object)
        return pd.concat(parts, ignore_index=True)
