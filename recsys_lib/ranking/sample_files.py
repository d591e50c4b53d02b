"""Samples in files, read piece by piece."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.api.types import is_numeric_dtype

from recsys_lib.errors import DataError, nearest
from recsys_lib.features.reference_layout import LAYOUT
from recsys_lib.schema import ITEM

LIST_SEPARATOR = "|"  # of a list in a CSV


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
        Row groups of Parquet files; a CSV is one piece, in memory.
    """

    form: str
    columns: tuple[str, ...]
    pieces: tuple[Piece, ...]

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
) -> Source:
    """Open samples: a folder of the samples job, a Parquet file, or a CSV.

    Parameters
    ----------
    path : Path
        A CSV whose header is the reference system's is read as such. A CSV is read whole; what
        does not fit in memory should be Parquet (``recsys samples import`` makes it).
    renamed : dict of str to str, optional
        The file's name of a column, by ours.
    lists : sequence of str
        Columns, under our names, that hold lists. A CSV writes them as ``a|b``.
    history : sequence of str
        Columns of liked items, under our names. In a CSV such a column holds lists if one of its
        values contains the separator. Their members are whole numbers if the items' ids are.

    Raises
    ------
    DataError
        The file is missing, empty or cannot be read, or lacks a renamed column.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"There are no samples at {path}.")
    if path.is_dir() or path.suffix.lower() in (".parquet", ".pq"):
        source = _open_parquet(path, renamed or {})
    else:
        source = _open_csv(path, renamed or {}, lists, history)
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
        frame.columns = list(columns)
        return frame

    return read


def _open_csv(
    path: Path, renamed: Mapping[str, str], lists: Sequence[str], history: Sequence[str]
) -> Source:
    try:
        # Only an empty field is a missing value: a category may be called NA or None.
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise DataError(f"{path} cannot be read as CSV: {error}") from None
    theirs = {ours: name for ours, (name, _) in LAYOUT.items()}
    form = "a CSV"
    if not renamed and set(theirs.values()) <= set(frame.columns):
        renamed, form = theirs, "a CSV in the reference system's layout"
    columns = _our_names(list(frame.columns), renamed, path)
    frame.columns = list(columns)
    for column in set(columns).intersection((*lists, *history)):
        texts = frame[column].astype("str").where(frame[column].notna(), "")
        if column not in lists and not texts.str.contains(LIST_SEPARATOR, regex=False).any():
            continue
        members = texts.map(lambda text: [part for part in text.split(LIST_SEPARATOR) if part])
        if column in history and ITEM in frame and is_numeric_dtype(frame[ITEM]):
            members = _whole_numbers(members, column)
        frame[column] = members
    piece = Piece(0, len(frame), lambda columns: frame[list(columns)])
    return Source(form, columns, (piece,))


def _whole_numbers(lists: pd.Series, column: str) -> pd.Series:
    try:
        return lists.map(lambda members: [int(member) for member in members])
    except ValueError as error:
        raise DataError(
            f"Column {column} must list whole numbers, as the ids of items are: {error}."
        ) from None


def _our_names(names: list[str], renamed: Mapping[str, str], path: Path) -> tuple[str, ...]:
    for theirs in renamed.values():
        if theirs not in names:
            raise DataError(
                f"{path} has no column {theirs!r}.{nearest(theirs, names)} "
                f"Its columns: {', '.join(map(str, names))}."
            )
    ours = {theirs: name for name, theirs in renamed.items()}
    return tuple(ours.get(name, name) for name in names)
