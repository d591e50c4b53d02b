"""Ids of any kind: a person's own outside the library, whole numbers inside it.

An id is an identifier, not a quantity. It may be a whole number of any size, text (with leading
zeros, in any script), bytes, or a UUID, and it comes back exactly as it came in. No id ever passes
through a floating-point number, where 2**53 and 2**53 + 1 are the same.
"""

import math
import re
import uuid
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys_lib import files
from recsys_lib.data.values import distinct_of, nullable
from recsys_lib.errors import DataError

UNKNOWN = -1  # the code of an id that the vocabulary does not hold
LARGEST = 2**63 - 1
LARGEST_EXACT = 2**53  # whole numbers beyond it may have lost digits as float64
# Text that is a whole number and nothing else: '007', '+7' and '7.0' would not come back.
PLAIN_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
KINDS = ("number", "text", "bytes", "uuid")


class IdColumn(NamedTuple):
    """A column of ids of one kind.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    values : array, shape (n,)
        int64 or uint64 where all are such numbers; else objects: int, str, bytes or UUID. What
        stands at missing places means nothing.
    missing : bool array, shape (n,)
    """

    kind: str
    values: np.ndarray
    missing: np.ndarray


class Ids:
    """A vocabulary: distinct ids in sorted order; the code of an id is its place there.

    Because the order is that of the ids, codes do not depend on the order of the rows they were
    learned from.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    values : array
        Distinct ids in rising order (numbers by value, text by code point).

    Attributes
    ----------
    index : Index
        The values as a hash table, for whoever knows that what is looked up is of their type.
    """

    def __init__(self, kind: str, values: np.ndarray):
        self.kind = kind
        self.values = values
        self.index = pd.Index(values, dtype=values.dtype)

    @classmethod
    def of(cls, raw, name: str = "the column of ids") -> Self:
        """Learn the vocabulary of a column; missing ids are left out.

        Raises
        ------
        DataError
            The column holds no ids, or ids of several kinds.
        """
        column = id_column(raw, name)
        return cls(column.kind, _distinct(column))

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other) -> bool:
        return (
            isinstance(other, Ids)
            and self.kind == other.kind
            and np.array_equal(self.values, other.values)
        )

    __hash__ = None

    def __repr__(self) -> str:
        return f"Ids({len(self)} of kind {self.kind!r})"

    @property
    def are_codes(self) -> bool:
        """Whether all ids are whole numbers from 0 to 2**63 - 1, which can stand for themselves."""
        return self.kind == "number" and (
            not len(self) or (self.values[0] >= 0 and self.values[-1] <= LARGEST)
        )

    def codes_of(self, raw) -> np.ndarray:
        """Return the code of each id: int64, shape (n,); -1 for an unknown or a missing one.

        A whole number and its plain decimal text are the same id, because a table read from text
        cannot tell them apart: 7 is ``"7"``, but ``"07"`` is another one. Likewise a UUID and its
        text.

        Raises
        ------
        DataError
            ``raw`` holds ids of several kinds, or of one that cannot be compared with these.
        """
        column = id_column(raw, "the ids that are looked up")
        wanted = _as_kind(column, self.kind)
        if wanted.dtype != self.values.dtype:
            wanted, index = wanted.astype(object), self.index.astype(object)
        else:
            index = self.index
        codes = index.get_indexer(wanted).astype(np.int64)
        return np.where(column.missing, UNKNOWN, codes)

    def raw_of(self, codes) -> np.ndarray:
        """Return the ids that codes stand for, in the ids' own type.

        Raises
        ------
        DataError
            A code is negative or past the end.
        """
        codes = np.asarray(codes, dtype=np.int64)
        if codes.size and (codes.min() < 0 or codes.max() >= len(self)):
            wrong = codes[(codes < 0) | (codes >= len(self))].flat[0]
            raise DataError(f"There is no id with the code {wrong}: codes run to {len(self) - 1}.")
        return self.values[codes]

    def union(self, other: "Ids") -> "Ids":
        """Return the vocabulary of both; numbers become text beside text.

        Raises
        ------
        DataError
            The kinds have no counterpart, such as bytes and text.
        """
        if not len(self) or not len(other):
            return self if len(self) else other
        kind = self.kind
        if {self.kind, other.kind} == {"number", "text"}:
            kind = "text"
        mine, theirs = (_as_kind(each._column, kind) for each in (self, other))
        if mine.dtype != theirs.dtype:
            mine, theirs = mine.astype(object), theirs.astype(object)
        both = IdColumn(
            kind, np.concatenate([mine, theirs]), np.zeros(len(mine) + len(theirs), bool)
        )
        return Ids(kind, _distinct(both))

    @property
    def _column(self) -> IdColumn:
        return IdColumn(self.kind, self.values, np.zeros(len(self), dtype=bool))

    def save(self, path: Path) -> None:
        """Write the vocabulary as a Parquet file with one column ``id``, atomically."""
        with files.atomic_path(Path(path)) as temporary:
            pq.write_table(self.to_arrow(), temporary, compression="zstd")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote; :class:`DataError` where that cannot be done."""
        try:
            return cls.from_arrow(pq.read_table(path))
        except (OSError, pa.ArrowException, KeyError) as error:
            raise DataError(f"No vocabulary of ids can be read from {path}: {error}") from None

    def arrow_of(self, raw) -> pa.Array:
        """Return ids of this kind as an Arrow array that keeps their type.

        Whole numbers that no Arrow type is wide enough for are written as text.
        """
        if self.kind == "uuid":
            return pa.array([each.bytes for each in raw], pa.uuid())
        if self.kind == "number" and self.values.dtype == object:
            return pa.array([str(each) for each in raw], pa.string())
        kinds = {"text": pa.string(), "bytes": pa.binary()}
        return pa.array(raw, kinds.get(self.kind) or pa.from_numpy_dtype(self.values.dtype))

    def to_arrow(self, column: str = "id") -> pa.Table:
        """Return the vocabulary as an Arrow table whose metadata say of which kind the ids are."""
        values = self.arrow_of(self.values)
        field = pa.field(column, values.type, nullable=False, metadata={"kind": self.kind})
        return pa.table([values], schema=pa.schema([field]))

    @classmethod
    def from_arrow(cls, table: pa.Table, column: str = "id") -> Self:
        """Return the vocabulary that :meth:`to_arrow` made a table of."""
        kind = table.schema.field(column).metadata[b"kind"].decode()
        stored = table[column]
        if pa.types.is_integer(stored.type):
            return cls(kind, stored.to_numpy())
        values = stored.to_pylist()
        if kind == "number":
            values = [int(each) for each in values]
        return cls(kind, _objects(values))


def codes_of(ids: Ids | None, raw) -> np.ndarray:
    """Return the codes of ids: int64, shape (n,), -1 where there is none.

    ``ids`` is None where whole numbers from 0 to 2**63 - 1 stand for themselves.
    """
    if ids is not None:
        return ids.codes_of(raw)
    column = id_column(raw, "the ids that are looked up")
    wanted = _as_kind(column, "number")
    if wanted.dtype == object:
        here = [each is not None and 0 <= each <= LARGEST for each in wanted]
        wanted = np.where(here, wanted, UNKNOWN).astype(np.int64)
    fits = ~column.missing & (wanted >= 0) & (wanted <= LARGEST)
    return np.where(fits, wanted, UNKNOWN).astype(np.int64)


def raw_of(ids: Ids | None, codes) -> np.ndarray:
    """Return the ids that codes stand for; the codes themselves where ``ids`` is None."""
    return np.asarray(codes, dtype=np.int64) if ids is None else ids.raw_of(codes)


def id_column(raw, name: str) -> IdColumn:
    """Understand a column of ids: which kind they are of, and where one is missing.

    Numbers that pandas or Parquet hold as floats, because one of them is missing, are understood
    while they are whole and below 2**53 (9,007,199,254,740,992), where no digit can have been lost.

    Parameters
    ----------
    raw : array, Series, sequence or pyarrow array, shape (n,)
    name : str
        What to call the column in an error.

    Raises
    ------
    DataError
        The ids are fractions, dates, truth values, or a mixture of kinds.
    """
    if isinstance(raw, pa.Array | pa.ChunkedArray):
        raw = raw.to_pandas(types_mapper=nullable)
    column = raw if isinstance(raw, pd.Series) else pd.Series(_one_dimensional(raw))
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    missing = column.isna().to_numpy(dtype=bool)
    present = column[~missing]
    if pd.api.types.is_integer_dtype(column.dtype):
        width = np.uint64 if pd.api.types.is_unsigned_integer_dtype(column.dtype) else np.int64
        return _spread("number", present.to_numpy(dtype=width), missing)
    kind = pd.api.types.infer_dtype(present, skipna=False)
    if kind == "empty":
        return IdColumn("number", np.zeros(len(column), np.int64), missing)
    if kind == "string":
        return _text(present, missing, name)
    if kind == "bytes":
        return _spread("bytes", _objects(present), missing)
    if kind == "integer":
        return _spread("number", _narrowed(present), missing)
    if kind in ("floating", "mixed-integer-float", "decimal"):
        return _spread("number", _narrowed(_whole(present, name)), missing)
    types = sorted({type(each).__name__ for each in present})
    if types == ["UUID"]:
        return _spread("uuid", _objects(present), missing)
    raise DataError(
        f"{name} holds {' and '.join(types)}, as {present.iloc[0]!r}. Ids are whole numbers, text, "
        "bytes or UUIDs, and all of one column are of one kind."
    )


def _one_dimensional(raw):
    # Not np.asarray: it would turn [1, 'a'] into text and [2**63, -1] into floats.
    if isinstance(raw, np.ndarray | pd.Index | pd.api.extensions.ExtensionArray):
        return raw
    return _objects(list(raw))


def _objects(values) -> np.ndarray:
    values = list(values)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _spread(kind: str, present: np.ndarray, missing: np.ndarray) -> IdColumn:
    if not missing.any():
        return IdColumn(kind, present, missing)
    values = np.zeros(len(missing), present.dtype)
    values[~missing] = present
    return IdColumn(kind, values, missing)


def _text(present: pd.Series, missing: np.ndarray, name: str) -> IdColumn:
    values = present.to_numpy(dtype=object)
    missing = missing.copy()
    empty = values == ""
    missing[np.flatnonzero(~missing)[empty]] = True
    values = values[~empty]
    for each in distinct_of(values):
        try:
            each.encode()
        except UnicodeEncodeError:
            raise DataError(
                f"{name} holds {each!r}, which is no Unicode text (half of a surrogate pair)."
            ) from None
    return _spread("text", values, missing)


def _narrowed(numbers) -> np.ndarray:
    """Return whole numbers as int64, as uint64, or as Python's own where neither is wide enough."""
    values = [int(each) for each in numbers]
    low, high = min(values, default=0), max(values, default=0)
    if low >= -LARGEST - 1 and high <= LARGEST:
        return np.array(values, dtype=np.int64)
    if low >= 0 and high < 2**64:
        return np.array(values, dtype=np.uint64)
    return _objects(values)


def _whole(present: pd.Series, name: str) -> list[int]:
    distinct = {}
    for each in distinct_of(_objects(present)):
        floating = isinstance(each, float | np.floating)
        whole = math.isfinite(each) and int(each) == each
        if not whole or (floating and abs(each) >= LARGEST_EXACT):
            raise DataError(
                f"{name} holds the number {each}. An id is a whole number, and one that is held "
                "as a float must be smaller than 2**53 so that no digit was lost. Read the column "
                "as text (dtype=str) or as whole numbers (dtype='Int64')."
            )
        distinct[each] = int(each)
    return [distinct[each] for each in present]


def _distinct(column: IdColumn) -> np.ndarray:
    values = distinct_of(column.values[~column.missing])
    if values.dtype != object:
        return np.sort(values)
    return _narrowed(sorted(values)) if column.kind == "number" else _objects(sorted(values))


def _as_kind(column: IdColumn, kind: str) -> np.ndarray:
    """Return ids as those of another kind; what has no counterpart there becomes None."""
    if column.kind == kind or column.missing.all():
        return column.values
    pair = {column.kind, kind}
    if pair == {"number", "text"}:
        change = str if kind == "text" else _number
    elif pair == {"uuid", "text"}:
        change = str if kind == "text" else _uuid
    else:
        raise DataError(
            f"The ids that are looked up are {column.kind}; those that are known are {kind}."
        )
    changed = {each: change(each) for each in distinct_of(column.values[~column.missing])}
    return _objects(changed.get(each) for each in column.values)


def _number(text: str) -> int | None:
    return int(text) if PLAIN_NUMBER.fullmatch(text) else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None
