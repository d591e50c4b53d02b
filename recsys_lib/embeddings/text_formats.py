"""Embedding tables as text: Word2vec's format, and the reference system's ``id:v v v`` lines."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from recsys_lib import files
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError

_INTEGER = re.compile(r"-?[0-9]{1,18}")


def write_word2vec(table: EmbeddingTable, path: Path) -> None:
    """Write Word2vec's text format: a line ``n embedding_dim``, then ``id v v v`` lines.

    The file is written atomically, with the nine digits that restore every float32 exactly.
    """
    _write(table, path, " ", f"{len(table)} {table.embedding_dim}\n")


def read_word2vec(path: Path) -> EmbeddingTable:
    """Read Word2vec's text format, with integer ids for words.

    Raises
    ------
    DataError
        The header is no pair of counts or does not fit what follows, an id is not an integer or
        occurs twice, a row has another length, or a value is no finite number. The message names
        file and line.
    """
    with _opened(path) as lines:
        header = next(lines, "").split()
        if len(header) != 2 or not all(_INTEGER.fullmatch(word) for word in header):
            raise DataError(
                f"{path}, line 1: Word2vec's text format begins with the number of rows and of "
                f"columns, not {' '.join(header)[:40]!r}."
            )
        n_items, embedding_dim = map(int, header)
        table = _read(path, enumerate(lines, start=2), " ", embedding_dim)
    if len(table) != n_items:
        raise DataError(
            f"{path}: line 1 announces {n_items} rows, {len(table)} follow: is the file cut off?"
        )
    return table


def write_reference(table: EmbeddingTable, path: Path) -> None:
    """Write the reference system's format, ``id:v v v`` lines, atomically."""
    _write(table, path, ":", "")


def read_reference(path: Path) -> EmbeddingTable:
    """Read the reference system's ``id:v v v`` lines.

    Raises
    ------
    DataError
        As :func:`read_word2vec`; also for a file without a row.
    """
    with _opened(path) as lines:
        table = _read(path, enumerate(lines, start=1), ":", None)
    if not len(table):
        raise DataError(f"{path} holds no embedding: a line is an id, a colon, and its numbers.")
    return table


def _write(table: EmbeddingTable, path: Path, separator: str, header: str) -> None:
    with files.atomic_path(Path(path)) as temporary, open(temporary, "w") as stream:
        stream.write(header)
        for item, vector in zip(table.item_ids, table.vectors, strict=True):
            stream.write(f"{item}{separator}{' '.join(f'{value:.9g}' for value in vector)}\n")


class _opened:
    """The lines of a text file; a missing file is a :class:`DataError`."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> Iterator[str]:
        try:
            # Bytes that are not UTF-8 become marks that no id and no number contains.
            self.stream = open(self.path, encoding="utf-8-sig", errors="replace")
        except OSError as error:
            raise DataError(f"No embeddings can be read from {self.path}: {error}") from None
        return iter(self.stream)

    def __exit__(self, *_):
        self.stream.close()


def _read(
    path: Path, lines: Iterable[tuple[int, str]], separator: str, embedding_dim: int | None
) -> EmbeddingTable:
    """Read numbered lines. Where ``embedding_dim`` is None, the first row decides it."""
    line_of: dict[int, int] = {}
    vectors = []
    for number, line in lines:
        if not line.strip():
            continue
        word, _, numbers = line.strip().partition(separator)
        where = f"{path}, line {number}"
        if not _INTEGER.fullmatch(word):
            raise DataError(f"{where}: the id must be an integer, not {word[:40]!r}.")
        item = int(word)
        if item in line_of:
            raise DataError(f"{where}: item {item} has a vector already, in line {line_of[item]}.")
        try:
            vector = np.array(numbers.split(), dtype=np.float32)
        except ValueError as error:
            raise DataError(f"{where}, item {item}: {error}.") from None
        embedding_dim = len(vector) if embedding_dim is None else embedding_dim
        if len(vector) != embedding_dim or not embedding_dim:
            raise DataError(
                f"{where}, item {item}: {len(vector)} numbers where {embedding_dim or 'some'} are "
                "due: all vectors of a table have one length."
            )
        if not np.isfinite(vector).all():
            raise DataError(f"{where}, item {item}: a value is NaN or infinite.")
        line_of[item] = number
        vectors.append(vector)
    shape = (len(vectors), embedding_dim or 0)
    return EmbeddingTable(np.array(list(line_of), np.int64), np.array(vectors).reshape(shape))
