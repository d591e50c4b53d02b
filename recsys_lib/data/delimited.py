"""Reading large delimited text in blocks, keeping the line number of every row.

Lines that begin with ``#`` before the header or the first row are comments.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from recsys_lib.data.columns import names_interactions
from recsys_lib.data.compressed import open_bytes
from recsys_lib.data.line_numbers import BrokenLines, LineNumbers, Rows
from recsys_lib.data.text_stream import (
    BLOCK_BYTES,
    COMMENT,
    UNIT_SEPARATOR,
    Utf8Stream,
    encoding_of,
    known_encoding,
)
from recsys_lib.errors import DataError

SEPARATORS = (",", ";", "\t", "|", "::")  # tried in this order; the first of equals is taken
N_FIRST = 1_000  # lines from the first that is no comment, among which the header must be


class Delimited:
    """One delimited text file, compressed or not.

    Parameters
    ----------
    path : Path
    separator : str
        One character, or ``"::"``.
    names : list of str, optional
        The columns of a file without a header line; None reads them from the first line.
    quoted : bool
        Whether double quotes may surround a field, which may then hold separators and line ends.
    encoding : str, optional
        None takes what the file's first bytes state, else UTF-8.
    """

    place = "line"
    is_text = True

    def __init__(
        self,
        path: Path,
        separator: str,
        names: list[str] | None = None,
        quoted: bool = False,
        encoding: str | None = None,
    ):
        self.path, self.separator, self.quoted = Path(path), separator, quoted
        self.encoding = known_encoding(encoding) if encoding else encoding_of(self.path)
        self.has_header = names is None
        self.n_comments = n_comments(self.path, self.encoding, separator, quoted, self.has_header)
        self._n_before_rows = 0  # the header, and blank lines before it
        self.names = names if names is not None else self._header()

    @property
    def form(self) -> str:
        """What kind of file it is, in words."""
        shown = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "|", " ": "blank"}
        how = shown.get(self.separator, self.separator)
        n = self.n_comments
        after = f", after {n} line{'' if n == 1 else 's'} of comments" if n else ""
        return f"a text file, columns separated by {how}, {self.encoding}{after}"

    def records(self, n: int) -> list[list[str]]:
        """Return the fields of the first ``n`` lines that are not blank, whatever their number."""
        return [row for row in self._beginning() if any(row)][:n]

    def _beginning(self) -> list[list[str]]:
        form = self.path, self.encoding, self.separator, self.quoted
        return read_records(*form, self.n_comments + N_FIRST, self.n_comments)

    def _header(self) -> list[str]:
        rows = self._beginning()
        first = next((row for row in rows if any(row)), None)
        if first is None:
            raise DataError(f"{self.path.name} is empty: its first line must name the columns.")
        self._n_before_rows = rows.index(first) + 1
        # RecBole writes 'user_id:token'; the type after the colon says nothing more to us.
        return [re.sub(r":(token|float|token_seq|float_seq)$", "", n.strip()) for n in first]

    def require(self, wanted: list[str]) -> None:
        """Raise :class:`DataError` when a wanted column is not there."""
        missing = [name for name in wanted if name not in self.names]
        if missing:
            raise DataError(
                f"{self.path.name} has no column {missing[0]!r}; its first line names: "
                f"{', '.join(map(repr, self.names))}."
            )

    def blocks(self, wanted: list[str], broken: BrokenLines) -> Iterator[Rows]:
        """Yield the wanted columns as text, without blank lines.

        Lines of another width go to ``broken``.

        Raises
        ------
        DataError
            A column is not there, a byte does not fit the encoding, or a quotation mark stays open.
        """
        self.require(wanted)
        places = {name: self.names.index(name) for name in wanted}
        noted: list[arrow_csv.InvalidRow] = []

        def note(row: arrow_csv.InvalidRow) -> str:
            noted.append(row)
            return "skip"

        lines = LineNumbers(noted, broken)
        # The header is read as a row, so that pyarrow needs no names: theirs may repeat.
        skipped = self._n_before_rows
        with open_bytes(self.path) as raw:
            double_colon = self.separator == "::"
            stream = Utf8Stream(raw, self.encoding, self.path.name, double_colon, self.n_comments)
            try:
                for batch in self._batches(stream, note):
                    numbers = lines.of(batch)[skipped:]
                    columns = [column[skipped:] for column in batch.columns]
                    skipped = max(0, skipped - len(batch))
                    if (blank := _blank(columns)) is not None:
                        columns = [column.filter(pa.array(~blank)) for column in columns]
                        numbers = numbers[~blank]
                    yield Rows({name: columns[place] for name, place in places.items()}, numbers)
            except pa.ArrowInvalid as error:
                if "Empty CSV" in str(error):
                    return
                if "straddling" in str(error):
                    raise DataError(lines.open_quote(self.path.name)) from None
                raise DataError(f"{self.path.name} cannot be read: {error}") from None
        lines.finish()
        if lines.last_row_has_newline and not stream.end.rstrip(b"\r\n").endswith(b'"'):
            raise DataError(lines.open_quote(self.path.name))

    def _batches(self, stream: Utf8Stream, note: Callable) -> Iterator[pa.RecordBatch]:
        columns = [str(place) for place in range(len(self.names))]
        reading = arrow_csv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=columns
        )
        parsing = arrow_csv.ParseOptions(
            delimiter=UNIT_SEPARATOR if self.separator == "::" else self.separator,
            quote_char='"' if self.quoted else False,
            newlines_in_values=self.quoted,
            ignore_empty_lines=False,
            invalid_row_handler=note,
        )
        converting = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
        )
        source = pa.PythonFile(stream, mode="r")
        yield from arrow_csv.open_csv(source, reading, parsing, converting)

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


def _blank(columns: list[pa.Array]) -> np.ndarray | None:
    """Return which rows have nothing in any column, or None where none has."""
    empty = None
    for column in columns:
        here = pc.equal(column, "").to_numpy(zero_copy_only=False)
        empty = here if empty is None else empty & here
        if not empty.any():
            return None
    return empty


def read_records(
    path: Path, encoding: str, separator: str, quoted: bool, n: int, n_blank: int = 0
) -> list[list[str]]:
    """Return the fields of the first ``n`` rows of a text file, as far as a megabyte holds them.

    The first ``n_blank`` lines count as blank.
    """
    text = _beginning(path, encoding, separator, n_blank)
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    single = UNIT_SEPARATOR if separator == "::" else separator
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=single, quoting=quoting)
    records = []
    try:
        for record in reader:
            if len(records) == n:
                break
            records.append(record)
    except csv.Error as error:
        raise DataError(f"{Path(path).name} cannot be read as text: {error}.") from None
    return records


def _beginning(path: Path, encoding: str, separator: str, n_blank: int = 0) -> str:
    with open_bytes(path) as raw:
        stream = Utf8Stream(raw, encoding, Path(path).name, separator == "::", n_blank)
        return stream.read(1 << 20).decode()


def n_comments(path: Path, encoding: str, separator: str, quoted: bool, has_header: bool) -> int:
    """Return how many lines at the beginning of a text file are comments, blank ones among them.

    They begin with ``#``. A line that is cut into as many columns as the first one that does not is
    none: it is the header, or ids begin with that sign. In a file with a header it is a comment
    nevertheless if the line that follows names the columns as they are usually called.
    """
    texts = [each.strip() for each in re.split(r"\r\n|\n|\r", _beginning(path, encoding, ""))]
    n = next((place for place, each in enumerate(texts) if each and each[0] != COMMENT), 0)
    if not any(texts[:n]):
        return 0
    first = read_records(path, encoding, separator, quoted, n + 1, n)[-1]
    if not (has_header and names_interactions(first)):
        for place, each in enumerate(texts[:n]):
            if len(each.split(separator)) == len(first) > 1:
                return place
    return n


def separator_of(path: Path, encoding: str, has_header: bool = True) -> str:
    """Return what separates the columns: the candidate that cuts most lines into most columns."""

    def merit(separator: str) -> tuple[int, int]:
        try:
            comments = n_comments(path, encoding, separator, separator != "::", has_header)
            rows = read_records(path, encoding, separator, True, 20 + comments, comments)
        except DataError:
            return (0, 0)
        widths = [len(row) for row in rows if any(row)]
        width = widths[0] if widths else 0
        same = sum(each == width for each in widths)
        return (same if width > 1 else 0, width)

    return max(SEPARATORS, key=merit)
