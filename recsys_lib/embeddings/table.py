"""One table of vectors, whatever trained them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_lib import files
from recsys_lib.data.matrix import index_of
from recsys_lib.errors import DataError, RecsysError

ROWS_AT_ONCE = 65_536  # bounds the memory that checking a mapped table needs


@dataclass(frozen=True)
class EmbeddingTable:
    """Vectors of items, by raw item id.

    Attributes
    ----------
    item_ids : int64 array, shape (n,), sorted and unique
        In a table of users (:func:`recsys_lib.embeddings.user_embeddings`) these are user ids.
    vectors : float32 array, shape (n, embedding_dim)

    Raises
    ------
    DataError
        Lengths differ, an id is no integer or occurs twice, or a vector holds a value that is not
        finite.
    """

    item_ids: np.ndarray
    vectors: np.ndarray

    def __post_init__(self):
        ids = _integer_ids(self.item_ids)
        try:
            vectors = np.asarray(self.vectors, dtype=np.float32)
        except ValueError as error:  # rows of several lengths, or no numbers
            raise DataError(f"The vectors of an embedding table are no matrix: {error}") from None
        if ids.ndim != 1 or vectors.ndim != 2 or len(ids) != len(vectors):
            raise DataError(
                "An embedding table needs n ids and n vectors (n, embedding_dim); "
                f"got shapes {ids.shape} and {vectors.shape}."
            )
        starts = range(0, len(ids), ROWS_AT_ONCE)
        broken = [
            ids[start : start + ROWS_AT_ONCE][~np.isfinite(rows).all(axis=1)]
            for start in starts
            if not np.isfinite(rows := vectors[start : start + ROWS_AT_ONCE]).all()
        ]
        if broken:
            broken = np.concatenate(broken)
            raise DataError(
                f"{len(broken)} item vectors hold NaN or infinity, item {broken[0]} first: "
                "training diverged, lower its learning rate."
            )
        if (np.diff(ids) <= 0).any():
            order = np.argsort(ids, kind="stable")
            ids, vectors = ids[order], vectors[order]
            repeated = ids[1:][np.diff(ids) == 0]
            if len(repeated):
                raise DataError(f"Item {repeated[0]} has more than one vector.")
        object.__setattr__(self, "item_ids", ids)
        object.__setattr__(self, "vectors", vectors)

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def embedding_dim(self) -> int:
        return self.vectors.shape[1]

    def index_of(self, item_ids) -> np.ndarray:
        """Return the row of each raw item id, or -1 where the item has no vector."""
        return index_of(self.item_ids, item_ids)

    def contains(self, item_ids) -> np.ndarray:
        """Tell for each raw item id whether it has a vector."""
        return self.index_of(item_ids) >= 0

    def vectors_of(self, item_ids) -> np.ndarray:
        """Return the vectors of raw item ids, shape (m, embedding_dim).

        Raises
        ------
        DataError
            An item has no vector. The message names the first ones.
        """
        rows = self.index_of(item_ids)
        if (rows < 0).any():
            unknown = np.asarray(item_ids)[rows < 0]
            raise DataError(
                f"{len(unknown)} of {len(rows)} items have no vector, for example "
                f"{unknown[:5].tolist()}: filter them with contains() first."
            )
        return self.vectors[rows]

    def normalized(self) -> "EmbeddingTable":
        """Return the table with every vector scaled to length 1; a zero vector stays zero."""
        length = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        return EmbeddingTable(self.item_ids, self.vectors / np.where(length > 0, length, 1))

    def nearest(self, item_id: int, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` items with the highest cosine to an item, best first, without itself.

        Returns
        -------
        item_ids : int64 array, shape (min(k, n - 1),)
        cosines : float32 array of the same shape

        Raises
        ------
        DataError
            The item has no vector.
        """
        if k < 1:
            raise RecsysError(f"k must be at least 1, not {k}.")
        unit = self.normalized()
        cosine = unit.vectors @ unit.vectors_of([item_id])[0]
        cosine[self.index_of([item_id])] = -np.inf
        best = np.argsort(-cosine, kind="stable")[: min(k, len(self) - 1)]
        return self.item_ids[best], cosine[best]

    def save(self, folder: Path) -> None:
        """Write ``item_ids.npy`` and ``vectors.npy`` to a folder, atomically."""
        with files.atomic_folder(Path(folder)) as fresh:
            np.save(fresh / "item_ids.npy", self.item_ids)
            np.save(fresh / "vectors.npy", self.vectors)

    @classmethod
    def load(cls, folder: Path) -> "EmbeddingTable":
        """Map a table that :meth:`save` wrote into memory, read-only.

        Processes that map one table share its memory. Ids and values are checked as for any
        table; the file is read once for that, but it is not kept in memory.

        Raises
        ------
        DataError
            The folder holds no such table, or a damaged one.
        """
        folder = Path(folder)
        try:
            # An empty array can't be mapped, and has nothing to map.
            ids, vectors = (
                np.load(path, mmap_mode="r" if path.stat().st_size > 128 else None)
                for path in (folder / "item_ids.npy", folder / "vectors.npy")
            )
        except (OSError, EOFError, ValueError) as error:
            raise DataError(f"No embedding table can be read from {folder}: {error}") from None
        return cls(ids, vectors)


def _integer_ids(ids) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.size and ids.dtype.kind not in "iu":
        raise DataError(
            f"The ids of an embedding table are integers, not {ids.dtype}: {ids.ravel()[:3]}."
        )
    return ids.astype(np.int64, copy=False)
