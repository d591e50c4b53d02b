"""A row of features as bytes: its numbers as one C struct, then its texts as JSON.

Every store keeps the same bytes, so that a value that comes back has the type and the bits it went
in with, whichever store it was. Numbers of a whole table are laid out in one step of numpy; Redis
would otherwise keep them as text, and the name of each feature once more for each user.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys_lib.errors import DataError
from recsys_lib.features.registry import FEATURES
from recsys_lib.schema import TIMESTAMP

CREATED = "created_timestamp"
NUMBERS = {
    "bool": "?",
    "int8": "<i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "float32": "<f4",
    "float64": "<f8",
}
VECTOR = re.compile(r"(\w+)\[(\d+)\]")  # "float32[10]": ten numbers
TEXTS = {"string": pa.string(), "strings": pa.list_(pa.string())}


@dataclass(frozen=True)
class RowFormat:
    """The columns of a table and the layout of one of its rows.

    Attributes
    ----------
    key : str
        The column that rows are found by; it is no part of the bytes.
    types : dict of str to str
        Type of every other column: ``bool``, ``int8`` to ``int64``, ``float32``, ``float64``,
        ``string``, ``strings``, or numbers of a fixed count such as ``float32[10]``.
    """

    key: str
    types: dict[str, str] = field(hash=False)

    @classmethod
    def of(cls, columns: Iterable[str], key: str, types: Mapping[str, str]) -> "RowFormat":
        """Return the format for the columns of a table.

        ``types`` is asked first, then the feature registry, which must know the column as a
        feature of the key's subject (``user_id``: user features).

        Raises
        ------
        DataError
            A column is in neither, or is a feature of somebody else; a type is not known.
        """
        subject = key.removesuffix("_id")
        known = {n: f.dtype for n, f in FEATURES.items() if f.subject == subject} | dict(types)
        columns = [c for c in columns if c not in (key, TIMESTAMP, CREATED)]
        foreign = sorted(set(columns) - set(known))
        if foreign:
            raise DataError(
                f"The type of these columns is not known: {', '.join(foreign)}. The registry has "
                f"no such feature of the {subject}; give their types, for example "
                f"types={{{foreign[0]!r}: 'float32'}}."
            )
        chosen = cls(key, {c: known[c] for c in columns})
        _ = chosen.struct, chosen.arrow  # an unknown type is refused here
        return chosen

    @cached_property
    def arrow(self) -> pa.Schema:
        """The key and the columns as Arrow types."""
        fields = [pa.field(self.key, pa.int64())]
        for name, dtype in self.types.items():
            vector = VECTOR.fullmatch(dtype)
            if dtype in TEXTS:
                fields.append(pa.field(name, TEXTS[dtype]))
            elif vector:
                number = pa.from_numpy_dtype(NUMBERS[vector[1]])
                fields.append(pa.field(name, pa.list_(number, int(vector[2]))))
            else:
                fields.append(pa.field(name, pa.from_numpy_dtype(NUMBERS[dtype])))
        return pa.schema(fields)

    @cached_property
    def struct(self) -> np.dtype:
        """The fixed part of a row: its time, a bit for each missing value, its numbers."""
        parts: list[tuple] = [(TIMESTAMP, "<f8"), ("_missing", "u1", (-(-len(self.types) // 8),))]
        for name, dtype in self.types.items():
            vector = VECTOR.fullmatch(dtype)
            if vector and vector[1] in NUMBERS:
                parts.append((name, NUMBERS[vector[1]], (int(vector[2]),)))
            elif dtype in NUMBERS:
                parts.append((name, NUMBERS[dtype]))
            elif dtype not in TEXTS:
                raise DataError(
                    f"Column {name!r} has the type {dtype!r}; a store keeps {', '.join(NUMBERS)}, "
                    f"{', '.join(TEXTS)} and vectors such as 'float32[10]'."
                )
        return np.dtype(parts)

    @cached_property
    def texts(self) -> list[str]:
        """The columns that follow the fixed part as one JSON list."""
        return [name for name, dtype in self.types.items() if dtype in TEXTS]

    @cached_property
    def _numbers_and_vectors(self) -> tuple[list[str], list[str]]:
        fixed = [name for name, dtype in self.types.items() if dtype not in TEXTS]
        vectors = [name for name in fixed if "[" in self.types[name]]
        return [name for name in fixed if name not in vectors], vectors

    def table(self, rows: pd.DataFrame | pa.Table) -> pa.Table:
        """Return the rows as an Arrow table of exactly these types, key first.

        Raises
        ------
        DataError
            A value does not fit its column's type, or a key is missing or stands twice.
        """
        if self.key not in (rows.columns if isinstance(rows, pd.DataFrame) else rows.column_names):
            raise DataError(f"The table has no column {self.key!r} to find its rows by.")
        try:
            if isinstance(rows, pd.DataFrame):
                table = pa.Table.from_pandas(rows, self.arrow, preserve_index=False)
            else:
                table = rows.select(self.arrow.names).cast(self.arrow)
            table = table.replace_schema_metadata()
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise DataError(f"A value does not have the type of its column: {error}") from None
        keys = table[self.key]
        if keys.null_count:
            raise DataError(f"{keys.null_count} rows have no {self.key}.")
        ids, counts = np.unique(keys.to_numpy(), return_counts=True)
        if (counts > 1).any():
            raise DataError(f"{self.key} {ids[counts > 1][0]} stands in more than one row.")
        return table

    def pack(self, table: pa.Table, timestamps: np.ndarray) -> list[bytes]:
        """Return the bytes of each row of :meth:`table`'s answer.

        Parameters
        ----------
        table : pyarrow.Table
        timestamps : float64 array, shape (n,)
            The moment each row's values are of, in s since 1970.
        """
        fixed = np.zeros(len(table), self.struct)
        fixed[TIMESTAMP] = timestamps
        for place, (name, dtype) in enumerate(self.types.items()):
            column = table[name].combine_chunks()
            missing = column.is_null().to_numpy(zero_copy_only=False)
            if dtype not in TEXTS:
                values = column.flatten() if "[" in dtype else column.drop_null()
                values = values.to_numpy(zero_copy_only=False)
                there = fixed[name][~missing]  # its shape, as vectors may have no numbers
                fixed[name][~missing] = values.reshape(there.shape)
                if dtype.startswith("float") and "[" not in dtype:
                    missing = missing | np.isnan(fixed[name])
            fixed["_missing"][:, place // 8] |= missing.astype(np.uint8) << (place % 8)
        size, block = self.struct.itemsize, fixed.tobytes()
        rows = [block[start : start + size] for start in range(0, len(block), size)]
        if not self.texts:
            return rows
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        texts = zip(*(table[name].to_pylist() for name in self.texts), strict=True)
        return [row + encode(text).encode() for row, text in zip(rows, texts, strict=True)]

    def unpack(self, keys: Sequence[int], packed: Sequence[bytes]) -> tuple[list[dict], np.ndarray]:
        """Return the rows of bytes that :meth:`pack` made.

        Returns
        -------
        rows : list of dict
            The key and the values that are there: int, float, bool, str, list of str, or for a
            vector a numpy array. A missing value has no entry.
        timestamps : float64 array, shape (n,)
        """
        size = self.struct.itemsize
        fixed = np.frombuffer(b"".join(row[:size] for row in packed), self.struct)
        numbers, vectors = self._numbers_and_vectors
        records = fixed[numbers].tolist() if numbers else [()] * len(packed)
        texts: list = [()] * len(packed)
        if self.texts:  # one list of lists is parsed much faster than each by itself
            texts = json.loads(b"[%b]" % b",".join([row[size:] for row in packed]))
        names = [self.key, *numbers, *self.texts]
        rows: list[dict[str, Any]] = [
            dict(zip(names, (key, *record, *text), strict=True))
            for key, record, text in zip(keys, records, texts, strict=True)
        ]
        for name in vectors:
            for row, vector in zip(rows, fixed[name], strict=True):
                row[name] = vector
        gone = np.unpackbits(fixed["_missing"], axis=1, bitorder="little")
        columns = list(self.types)
        for place, column in np.argwhere(gone).tolist():
            del rows[place][columns[column]]
        return rows, fixed[TIMESTAMP].copy()
