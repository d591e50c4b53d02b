"""A table as a person has it: text, Parquet, Feather, JSON lines, or a DataFrame in memory.

All are read block by block in one form, so that what is understood of a column does not depend on
the file it lies in.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq

from recsys_lib.data.compressed import open_bytes
from recsys_lib.data.delimited import Delimited, separator_of
from recsys_lib.data.line_numbers import BrokenLines, Rows
from recsys_lib.data.text_stream import Utf8Stream, encoding_of, known_encoding
from recsys_lib.errors import DataError

BLOCK_ROWS = 1 << 18
NO_SEPARATORS = '\0\n\r"'
OTHER_FILES = {
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"\x93NUMPY": "a numpy array",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
}
SAVE_AS_TEXT = "save the table as CSV or Parquet first"


class Table(Protocol):
    """What all tables offer.

    Attributes
    ----------
    path : Path
        For a table in memory, what it is called.
    form : str
        What kind of table it is, in words.
    names : list of str
        Its columns, in order.
    is_text : bool
        Whether a column may be anything, written as text.
    place : str
        What a number in ``lines`` counts: ``line`` of a file, or ``row``.
    """

    path: Path
    form: str
    names: list[str]
    is_text: bool
    place: str

    def blocks(self, wanted: list[str], broken: BrokenLines) -> Iterator[Rows]:
        """Yield rows of the wanted columns; rows that cannot be cut into columns go aside."""
        ...

    def records(self, n: int) -> list[list[str]]:
        """Return the first ``n`` rows as text, to be shown."""
        ...


@dataclass(frozen=True)
class TextForm:
    """How a text file is written, as far as a person says so.

    Attributes
    ----------
    separator : str, optional
        None takes the candidate that cuts most lines into most columns.
    encoding : str, optional
        As Python names it; None takes what the file's first bytes state, else UTF-8.
    header : bool
        Whether the first line names the columns; otherwise they are called 1, 2, 3 and so on.
    """

    separator: str | None = None
    encoding: str | None = None
    header: bool = True

    def __post_init__(self):
        if self.separator is not None and not (
            self.separator == "::"
            or (
                (len(self.separator) == 1 and self.separator.isascii())
                and self.separator not in NO_SEPARATORS
            )
        ):
            raise DataError(
                "The separator must be one ASCII character, no quotation mark and no line end, "
                f"or '::', not {self.separator!r}."
            )
        if self.encoding is not None:
            known_encoding(self.encoding)


def open_table(path: Path, form: TextForm | None = None) -> Table:
    """Open a file, or a folder of Parquet files, by what it holds.

    Raises
    ------
    DataError
        There is no such file, or it is of a kind that is not read.
    """
    path, form = Path(path).expanduser(), form or TextForm()
    if path.is_dir():
        files = sorted(p for p in path.rglob("*.parquet") if p.name[0] not in "._")
        if not files:
            raise DataError(f"{path} is a folder without Parquet files: give a file.")
        return ParquetTable(path, files)
    if not path.exists():
        raise DataError(f"There is no file {str(path)!r}.")
    with open_bytes(path) as stream:
        start = stream.read(1 << 12)
    for magic, kind in OTHER_FILES.items():
        if start.startswith(magic):
            raise DataError(f"{path.name} is {kind}: {SAVE_AS_TEXT}.")
    if start[257:262] == b"ustar":
        raise DataError(f"{path.name} is a tar archive: unpack it and give the table in it.")
    if start.startswith(b"PAR1"):
        return ParquetTable(path, [path])
    if start.startswith((b"ARROW1", b"FEA1")):
        return FeatherTable(path)
    encoding = known_encoding(form.encoding) if form.encoding else encoding_of(path)
    begins = start.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")
    if begins.startswith("{"):
        return JsonLines(path, encoding)
    if begins.startswith("["):
        raise DataError(f"{path.name} is one JSON list: write one object a line instead.")
    separator = form.separator or separator_of(path, encoding, form.header)
    return text_table(path, separator, encoding, form.header)


def text_table(path: Path, separator: str, encoding: str, header: bool) -> Delimited:
    """Return a text file as a table; without a header its columns are called 1, 2, 3 and so on."""
    names = None
    if not header:
        probe = Delimited(path, separator, [], quoted=True, encoding=encoding)
        first = next((row for row in probe.records(20) if any(row)), [])
        names = [str(place) for place in range(1, len(first) + 1)]
    return Delimited(path, separator, names, quoted=separator != "::", encoding=encoding)


class ParquetTable:
    """Parquet files of the same columns."""

    is_text = False
    place = "row"

    def __init__(self, path: Path, files: list[Path]):
        self.path, self._files = path, files
        self.form = "Parquet" if len(files) == 1 else f"Parquet in {len(files)} files"
        self._paths = _leaves(self._opened(files[0]).schema_arrow)
        self.names = list(self._paths)

    def _opened(self, file: Path) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(file)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{file} cannot be read as Parquet: {_first_line(error)}") from None

    def blocks(self, wanted: list[str], broken: BrokenLines) -> Iterator[Rows]:
        """Yield the wanted columns as Arrow arrays."""
        seen = 0
        for file in self._files:
            parquet = self._opened(file)
            if missing := [name for name in wanted if name not in _leaves(parquet.schema_arrow)]:
                raise DataError(f"{file} has no column {missing[0]!r}, unlike {self._files[0]}.")
            try:
                for batch in parquet.iter_batches(BLOCK_ROWS, columns=wanted):
                    batch.validate(full=True)
                    lines = np.arange(seen + 1, seen + 1 + len(batch))
                    seen += len(batch)
                    yield Rows({n: _leaf(batch, self._paths[n]) for n in wanted}, lines)
            except (OSError, pa.ArrowException) as error:
                raise DataError(f"{file} cannot be read: {_first_line(error)}") from None

    def records(self, n: int) -> list[list[str]]:
        """Return the first rows as text."""
        return _shown(self.blocks(self.names, BrokenLines()), n)


class FeatherTable:
    """A Feather file (Arrow's own format), read whole."""

    is_text = False
    place = "row"
    form = "Feather"

    def __init__(self, path: Path):
        self.path = path
        try:
            self._table = feather.read_table(path)
            self._table.validate(full=True)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path} cannot be read as Feather: {_first_line(error)}") from None
        self._paths = _leaves(self._table.schema)
        self.names = list(self._paths)

    def blocks(self, wanted: list[str], broken: BrokenLines) -> Iterator[Rows]:
        """Yield the wanted columns as Arrow arrays."""
        whole = self._table.select(list(dict.fromkeys(self._paths[name][0] for name in wanted)))
        for start in range(0, len(whole), BLOCK_ROWS):
            part = whole.slice(start, BLOCK_ROWS).combine_chunks()
            lines = np.arange(start + 1, start + 1 + len(part))
            yield Rows({name: _leaf(part, self._paths[name]) for name in wanted}, lines)

    def records(self, n: int) -> list[list[str]]:
        """Return the first rows as text."""
        return _shown(self.blocks(self.names, BrokenLines()), n)


class JsonLines:
    """A text file with a JSON object on each line; Python's reader keeps whole numbers of any size.

    The columns are the keys of the first thousand objects, those of an object in an object as
    ``outer.inner``.
    """

    is_text = False
    place = "line"
    form = "JSON lines"

    def __init__(self, path: Path, encoding: str):
        self.path, self.encoding = path, encoding
        keys: dict[str, None] = {}
        for _, each in islice(self._objects(BrokenLines()), 1_000):
            keys |= dict.fromkeys(_flat(each))
        self.names = list(keys)

    def _objects(self, broken: BrokenLines) -> Iterator[tuple[int, dict]]:
        with open_bytes(self.path) as raw:
            lines = _lines(Utf8Stream(raw, self.encoding, self.path.name))
            for number, line in enumerate(lines, start=1):
                text = line.decode().strip()
                try:
                    found = json.loads(text) if text else {}
                except (ValueError, RecursionError) as error:
                    broken.add(number, text[:200], f"no JSON ({error})"[:120])
                    continue
                if not isinstance(found, dict):
                    broken.add(number, text[:200], "no JSON object")
                elif found:
                    yield number, found

    def blocks(self, wanted: list[str], broken: BrokenLines) -> Iterator[Rows]:
        """Yield the wanted values as Python's own, None where an object lacks the key."""
        objects = self._objects(broken)
        while part := list(islice(objects, BLOCK_ROWS)):
            columns = {}
            for name in wanted:
                columns[name] = pd.Series([_value(each, name) for _, each in part], dtype=object)
            yield Rows(columns, np.array([number for number, _ in part], dtype=np.int64))

    def records(self, n: int) -> list[list[str]]:
        """Return the first rows as text."""
        return _shown(self.blocks(self.names, BrokenLines()), n)


class FrameTable:
    """A DataFrame; its rows are counted from 0."""

    is_text = False
    place = "row"
    form = "a DataFrame"
    path = Path("the table")

    def __init__(self, frame: pd.DataFrame):
        self._frame = frame
        self.names = [str(name) for name in frame.columns]

    def blocks(self, wanted: list[str], broken: BrokenLines) -> Iterator[Rows]:
        """Yield the whole frame."""
        columns = {name: self._frame.iloc[:, self.names.index(name)] for name in wanted}
        yield Rows(columns, np.arange(len(self._frame)))

    def records(self, n: int) -> list[list[str]]:
        """Return the first rows as text."""
        return _shown(self.blocks(self.names, BrokenLines()), n)


def _leaves(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Return the way to each column by its name, those in a struct called ``outer.inner``."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(field: pa.Field, above: tuple[str, ...]) -> None:
        way = (*above, str(field.name))
        if pa.types.is_struct(field.type):
            for inner in field.type:
                walk(inner, way)
        else:
            found.setdefault(".".join(way), way)

    for field in schema:
        walk(field, ())
    return found


def _leaf(rows: pa.RecordBatch | pa.Table, way: tuple[str, ...]):
    column = rows.column(way[0])
    return pc.struct_field(column, list(way[1:])) if way[1:] else column


def _flat(each: dict, above: str = "") -> list[str]:
    """Return the names of an object's values, those of an object in it as ``outer.inner``."""
    names = []
    for key, value in each.items():
        name = f"{above}{key}"
        names += _flat(value, f"{name}.") if isinstance(value, dict) and value else [name]
    return names


def _value(each, name: str):
    """Return the value that :func:`_flat` calls so, None where there is none."""
    if not isinstance(each, dict):
        return None
    if name in each:
        return each[name]
    ends = [place for place, sign in enumerate(name) if sign == "." and name[:place] in each]
    return next((_value(each[name[:end]], name[end + 1 :]) for end in ends), None)


def _lines(stream: Utf8Stream) -> Iterator[bytes]:
    held = b""
    while block := stream.read():
        *lines, held = (held + block).split(b"\n")
        yield from lines
    yield held


def _shown(blocks: Iterator[Rows], n: int) -> list[list[str]]:
    for rows in blocks:
        columns = []
        for values in rows.columns.values():
            some = values[:n] if isinstance(values, pd.Series) else values.slice(0, n).to_pylist()
            columns.append(["" if each is None else str(each) for each in some])
        return [list(row) for row in zip(*columns, strict=True)]
    return []


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
