"""What every vector index offers: find, add and remove items, save and load."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from recsys_lib import files
from recsys_lib.data.matrix import NO_ITEM
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError

METRICS = ("euclidean", "cosine")


class VectorIndex(ABC):
    """Finds the nearest items of a query vector.

    The constructor of a subclass only stores the settings named in ``SETTINGS``. Distances are
    Euclidean lengths, or 1 - cosine: then vectors and queries are brought to length 1 first, and
    the zero vector, which has no direction, lies at distance 1 from everything.

    A removed item leaves its row behind, marked, until half of the rows are such; adding copies
    nothing but what is added. Both are cheap for a single item among a million.

    Attributes
    ----------
    metric : {"euclidean", "cosine"}
    item_ids_ : int64 array, shape (n_rows,), in order of adding, removed items among them
    vectors_ : float32 array, shape (n_rows, embedding_dim)
    """

    metric: str
    SETTINGS: ClassVar[tuple[str, ...]]  # what the constructor takes
    LEARNT: ClassVar[tuple[str, ...]] = ()  # arrays that fit draws, besides the items
    _ids: np.ndarray | None = None  # before fit; with spare room at its end afterwards

    @abstractmethod
    def _draw(self, embedding_dim: int) -> None:
        """Check the settings, and set the arrays named in ``LEARNT``."""

    @abstractmethod
    def _insert(self, first: int) -> None:
        """Rows from ``first`` on are new (0: all are)."""

    @abstractmethod
    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows (m, k), of any number where the distance is infinite, and distances."""

    def fit(self, table: EmbeddingTable) -> Self:
        """Index the vectors of ``table``; it may be empty, but for the length of its vectors."""
        self._draw(table.embedding_dim)
        return self._keep(self._in_metric(table))

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest items that the index finds for each query, nearest first.

        Parameters
        ----------
        queries : float array, shape (m, embedding_dim)
        k : int
            At least 1. Where fewer are found the rest of the row is padding.

        Returns
        -------
        item_ids : int64 array, shape (m, k), padded with -1
        distances : float32 array, shape (m, k), padded with inf

        Raises
        ------
        RecsysError
            ``k`` or the shape is wrong, or a query holds NaN or infinity.
        """
        queries = self._as_queries(queries)
        if not isinstance(k, int | np.integer) or k < 1:
            raise RecsysError(f"k must be an integer of at least 1, not {k!r}.")
        rows, distances = self._nearest(queries, int(k))
        found = np.isfinite(distances)
        item_ids = np.full(rows.shape, NO_ITEM, dtype=np.int64)
        item_ids[found] = self._ids[rows[found]]
        return item_ids, distances

    def add(self, table: EmbeddingTable) -> Self:
        """Index further items.

        Raises
        ------
        DataError
            An item is in the index already, or the vectors have another length. Nothing is added.
        """
        self._check_fitted()
        if table.embedding_dim != self.vectors_.shape[1]:
            raise DataError(
                f"The index holds vectors of length {self.vectors_.shape[1]}, "
                f"those to add have length {table.embedding_dim}."
            )
        row_of = self._rows()
        known = [item for item in table.item_ids.tolist() if item in row_of]
        if known:
            raise DataError(f"Item {known[0]} is in the index already: remove it first.")
        first, table = self._n_rows, self._in_metric(table)
        self._ids = _extended(self._ids, first, table.item_ids)
        self._vectors = _extended(self._vectors, first, table.vectors)
        self._hidden = _extended(self._hidden, first, np.zeros(len(table), dtype=bool))
        self._n_rows += len(table)
        row_of.update(zip(table.item_ids.tolist(), range(first, self._n_rows), strict=True))
        self._insert(first)
        return self

    def remove(self, item_ids) -> Self:
        """Take items out of the index.

        Raises
        ------
        DataError
            An item is not in the index. Nothing is removed.
        """
        self._check_fitted()
        asked = np.unique(np.asarray(item_ids, dtype=np.int64)).tolist()
        row_of = self._rows()
        unknown = [item for item in asked if item not in row_of]
        if unknown:
            raise DataError(f"{len(unknown)} items are not in the index, {unknown[0]} first.")
        self._hidden[[row_of.pop(item) for item in asked]] = True
        self._n_hidden += len(asked)
        if len(self) * 2 < self._n_rows:
            self._keep(self.table())
        return self

    def __len__(self) -> int:
        self._check_fitted()
        return self._n_rows - self._n_hidden

    @property
    def item_ids_(self) -> np.ndarray:
        return self._ids[: self._n_rows]

    @property
    def vectors_(self) -> np.ndarray:
        return self._vectors[: self._n_rows]

    def table(self) -> EmbeddingTable:
        """Return the items in the index, their vectors as the metric sees them."""
        self._check_fitted()
        kept = ~self._hidden[: self._n_rows]
        return EmbeddingTable(self.item_ids_[kept], self.vectors_[kept])

    def save(self, folder: Path) -> None:
        """Write the index to a folder, atomically: JSON and numbers, no code."""
        table = self.table()
        with files.atomic_folder(Path(folder)) as fresh:
            settings = {name: np.asarray(getattr(self, name)).item() for name in self.SETTINGS}
            files.write_json(fresh / "index.json", {"kind": type(self).__name__, **settings})
            table.save(fresh / "items")
            for name in self.LEARNT:
                np.save(fresh / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an index that :meth:`save` wrote; rows are in order of item ids then.

        Raises
        ------
        DataError
            The folder holds no index of this kind.
        """
        folder = Path(folder)
        try:
            settings = files.read_json(folder / "index.json")
            if (kind := settings.pop("kind")) != cls.__name__:
                raise ValueError(f"it holds an index of kind {kind!r}")
            index, table = cls(**settings), EmbeddingTable.load(folder / "items")
            index._draw(table.embedding_dim)
            for name in cls.LEARNT:
                stored = np.load(folder / f"{name}.npy", allow_pickle=False)
                if (fresh := getattr(index, name)).shape != stored.shape:
                    raise ValueError(f"{name} has shape {stored.shape}, not {fresh.shape}")
                setattr(index, name, stored.astype(fresh.dtype))
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"No {cls.__name__} can be read from {folder}: {error}") from None
        except RecsysError as error:
            raise DataError(f"No {cls.__name__} can be read from {folder}: {error}") from None
        return index._keep(table)

    def _keep(self, table: EmbeddingTable) -> Self:
        self._ids, self._vectors, self._n_rows = table.item_ids, table.vectors, len(table)
        self._hidden, self._n_hidden = np.zeros(len(table), dtype=bool), 0
        self._row_of = None
        self._insert(0)
        return self

    def _rows(self) -> dict[int, int]:
        """Return the row of each item: made at the first change, 100 MB for a million items."""
        if self._row_of is None:
            self._row_of = dict(zip(self._ids.tolist(), range(len(self._ids)), strict=True))
        return self._row_of

    def _in_metric(self, table: EmbeddingTable) -> EmbeddingTable:
        return table.normalized() if self.metric == "cosine" else table

    def _as_queries(self, queries) -> np.ndarray:
        """Return queries as float32 (m, embedding_dim) in the metric, or say what is wrong."""
        self._check_fitted()
        with np.errstate(over="ignore"):  # what becomes infinite is reported below
            queries = np.ascontiguousarray(queries, dtype=np.float32)
        if queries.ndim != 2 or queries.shape[1] != self._vectors.shape[1]:
            raise RecsysError(
                f"queries must have shape (m, {self._vectors.shape[1]}), one vector a row, "
                f"not {queries.shape}."
            )
        if not np.isfinite(queries).all():
            broken = np.flatnonzero(~np.isfinite(queries).all(axis=1))
            raise RecsysError(f"Query {broken[0]} holds NaN or infinity.")
        if self.metric == "cosine":
            length = np.sqrt(np.einsum("md,md->m", queries, queries))[:, None]
            queries = queries / np.where(length > 0, length, 1)
        return queries

    def _check_fitted(self) -> None:
        if self._ids is None:
            raise RecsysError(f"{type(self).__name__} holds nothing yet: call fit() first.")


def _extended(buffer: np.ndarray, used: int, fresh: np.ndarray) -> np.ndarray:
    """Put ``fresh`` behind the first ``used`` rows, in a buffer twice as long if it is full."""
    if used + len(fresh) > len(buffer):
        rows = max(2 * used, used + len(fresh))
        longer = np.empty((rows, *buffer.shape[1:]), dtype=buffer.dtype)
        longer[:used] = buffer[:used]
        buffer = longer
    buffer[used : used + len(fresh)] = fresh
    return buffer
