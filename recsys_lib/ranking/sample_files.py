"""Samples in files, read piece by piece."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys_lib.data.item_table import SEPARATOR
from recsys_lib.data.line_numbers import BrokenLines
from recsys_lib.data.tables import Table, TextForm, open_table
from recsys_lib.data.values import as_series, column_of, nullable, text_of
from recsys_lib.errors import DataError, nearest
from recsys_lib.features.reference_layout import LAYOUT


class Piece(NamedTuple):
    """Rows that are read at once.

    Attributes
    ----------
    first_row, n_rows : int
    read : function of a list of columns, which returns them as a DataFrame
    """

    first_row: int
    n_rows: int
    read: Callable[[Sequence[str]], pd.DataFrame]


@dataclass(frozen=True)
class Source:
    """Samples in one or several files, not yet read.

    Attributes
    ----------
    form : str
        What kind of file this is, in words.
    columns : tuple of str
        As our models name them.
    pieces : tuple of Piece
        Row groups of Parquet files; any other table is one piece.
    in_memory : bool
        Whether the rows are read already.
    """

    form: str
    columns: tuple[str, ...]
    pieces: tuple[Piece, ...]
    in_memory: bool = False

    @property
    def n_rows(self) -> int:
        """Rows of all pieces."""
        return sum(piece.n_rows for piece in self.pieces)

    def read(self, columns: Sequence[str], pieces: Sequence[Piece] | None = None) -> Iterator:
        """Yield first row and DataFrame of each piece.

        Raises
        ------
        DataError
            A column is missing. The message names it, and the nearest one there is.
        """
        if missing := [column for column in columns if column not in self.columns]:
            raise DataError(
                f"The samples lack the columns {', '.join(missing)}."
                f"{nearest(missing[0], self.columns)}"
            )
        for piece in self.pieces if pieces is None else pieces:
            yield piece.first_row, piece.read(columns)


def open_source(
    path: Path,
    renamed: Mapping[str, str] | None = None,
    lists: Sequence[str] = (),
    history: Sequence[str] = (),
    form: TextForm | None = None,
) -> Source:
    """Open samples: a folder of the samples job, a Parquet file, or any other table.

    Parameters
    ----------
    path : Path
        Whatever :func:`recsys_lib.data.tables.open_table` opens. A text file whose header is the
        reference system's is read as such. All but Parquet is read whole; what does not fit in
        memory should be Parquet (``recsys samples import`` makes it).
    renamed : dict of str to str, optional
        The file's name of a column, by ours. Another column of the file that bears a name of ours
        is not seen.
    lists : sequence of str
        Columns, under our names, that hold lists. A text file writes them as ``a|b``.
    history : sequence of str
        Columns of liked items, under our names. In a text file such a column holds lists if one of
        its values contains the separator.
    form : TextForm, optional
        How a text file is written, where that cannot be found out.

    Raises
    ------
    DataError
        The file is missing, empty or cannot be read, or lacks a renamed column.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"There are no samples at {path}.")
    if path.is_dir():
        source = _open_parquet(path, renamed or {})
    else:
        table = open_table(path, form)
        if table.form == "Parquet":
            source = _open_parquet(path, renamed or {})
        else:
            source = _open_whole(table, renamed or {}, lists, history)
    if not source.n_rows:
        raise DataError(f"{path} holds no samples.")
    return source


def _open_parquet(path: Path, renamed: Mapping[str, str]) -> Source:
    folder = path / "samples" if (path / "samples").is_dir() else path
    found = sorted(folder.rglob("*.parquet")) if path.is_dir() else [path]
    if not found:
        raise DataError(f"{path} holds no Parquet file.")
    pieces, first_row, names = [], 0, None
    for file in found:
        try:
            footer = pq.read_metadata(file)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{file} cannot be read as Parquet: {error}") from None
        here = footer.schema.to_arrow_schema().names
        names = here if names is None else names
        if set(here) != set(names):
            raise DataError(f"{file} has other columns than {found[0]}.")
        for group in range(footer.num_row_groups):
            n_rows = footer.row_group(group).num_rows
            pieces.append(Piece(first_row, n_rows, _row_group(file, group, renamed)))
            first_row += n_rows
    form = "a folder of samples" if path.is_dir() else "a Parquet file"
    return Source(form, _our_names(names, renamed, path), tuple(p for p in pieces if p.n_rows))


def _row_group(file: Path, group: int, renamed: Mapping[str, str]):
    def read(columns):
        theirs = [renamed.get(column, column) for column in columns]
        try:
            # Not with the columns that the folders' names add.
            table = pq.ParquetFile(file).read_row_group(group, columns=theirs)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{file} cannot be read: {error}") from None
        frame = table.to_pandas()[theirs]
        for name in theirs:
            # pandas makes floats of whole numbers beside a null, and of lists with one in them.
            column = table[name]
            if pa.types.is_integer(column.type) and column.null_count:
                frame[name] = column.to_pandas(types_mapper=nullable)
            elif pa.types.is_list(column.type) and column.combine_chunks().flatten().null_count:
                frame[name] = pd.Series(column.to_pylist(), dtype=object)
        frame.columns = list(columns)
        return frame

    return read


def _open_whole(
    table: Table, renamed: Mapping[str, str], lists: Sequence[str], history: Sequence[str]
) -> Source:
    theirs = {ours: name for ours, (name, _) in LAYOUT.items()}
    form = table.form
    if not renamed and set(theirs.values()) <= set(table.names):
        renamed, form = theirs, f"{form}, in the reference system's layout"
    columns = _our_names(table.names, renamed, table.path)
    broken = BrokenLines()
    wanted = [renamed.get(column, column) for column in columns]
    blocks = list(table.blocks(wanted, broken))
    if broken.lines:
        raise DataError(
            f"{table.path.name}, {table.place} {broken.lines[0]:,}: {broken.reasons[0]} "
            f"({broken.texts[0][:60]!r}). {len(broken.lines):,} such in all; mend or remove them."
        )
    frame = pd.DataFrame()
    for column, name in zip(columns, wanted, strict=True):
        parts = [block.columns[name] for block in blocks]
        values = [column_of(part) if table.is_text else as_series(part) for part in parts]
        frame[column] = pd.concat(values, ignore_index=True) if values else pd.Series()
        if column in lists or (column in history and _holds_separator(frame[column])):
            frame[column] = frame[column].map(_list)
    piece = Piece(0, len(frame), lambda columns: frame[list(columns)])
    return Source(form, columns, (piece,), in_memory=True)


def _holds_separator(column: pd.Series) -> bool:
    return column.dtype == object and text_of(column).str.contains(SEPARATOR, regex=False).any()


def _list(value) -> list:
    if value is None or value is pd.NA or np.ndim(value):
        return [] if value is None or value is pd.NA else list(value)
    return [part for part in str(value).split(SEPARATOR) if part]


def _our_names(names: list[str], renamed: Mapping[str, str], path: Path) -> tuple[str, ...]:
    for theirs in renamed.values():
        if theirs not in names:
            raise DataError(
                f"{path} has no column {theirs!r}.{nearest(theirs, names)} "
                f"Its columns: {', '.join(map(str, names))}."
            )
    for theirs in renamed.values():
        if names.count(theirs) > 1:
            raise DataError(f"{path} has {names.count(theirs)} columns called {theirs!r}.")
    ours = {theirs: name for name, theirs in renamed.items()}
    # A column that bears our name while another plays its part is the person's own affair.
    seen = [name for name in dict.fromkeys(names) if name in ours or name not in renamed]
    return tuple(ours.get(name, name) for name in seen)
