"""Locality-sensitive hashing (局部敏感哈希) for the Euclidean distance (Datar et al., 2004)."""

import zipfile
from pathlib import Path
from typing import Self

import numpy as np
from scipy.stats import norm

from recsys_lib import files
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.recall.base import NO_ITEM
from recsys_lib.recall.exact import as_queries, smallest
from recsys_lib.seeding import DEFAULT_SEED, generator

SETTINGS = ("n_tables", "n_hashes", "width", "random_offsets", "seed")
ARRAYS = ("item_ids_", "vectors_", "directions_", "offsets_", "multipliers_")


def hash_values(
    vectors: np.ndarray, directions: np.ndarray, offsets: np.ndarray, width: float
) -> np.ndarray:
    """Return ``floor((x . v + b) / w)`` for each vector x and each pair of direction v, offset b.

    Parameters
    ----------
    vectors : float array, shape (n, embedding_dim)
    directions : float array, shape (embedding_dim, n_functions)
    offsets : float array, shape (n_functions,)
        In units of length, from 0 up to ``width``.
    width : float
        Width of a bucket (分桶), in units of length.

    Returns
    -------
    int64 array, shape (n, n_functions)
    """
    return np.floor((vectors @ directions + offsets) / width).astype(np.int64)


def collision_probability(
    distance, width: float, n_hashes: int = 1, n_tables: int = 1
) -> np.ndarray:
    """Return the probability that two points meet in a bucket, in closed form.

    For one function it is ``1 - 2 Phi(-r) - 2 (1 - exp(-r^2 / 2)) / (sqrt(2 pi) r)`` with
    ``r = width / distance`` (Datar et al., 2004, section 3.2), over directions of independent
    normal numbers and offsets uniform on one bucket. All ``n_hashes`` of a table must agree (AND),
    in one of ``n_tables`` at least (OR).

    Parameters
    ----------
    distance : float or array
        Euclidean distance of the points, in units of length.
    width, n_hashes, n_tables
        As in :class:`EuclideanLSH`.
    """
    distance = np.asarray(distance, dtype=np.float64)
    ratio = width / np.where(distance > 0, distance, 1)
    tail = (1 - np.exp(-(ratio**2) / 2)) * 2 / (np.sqrt(2 * np.pi) * ratio)
    one = np.where(distance > 0, 1 - 2 * norm.cdf(-ratio) - tail, 1.0)
    return 1 - (1 - one**n_hashes) ** n_tables


class EuclideanLSH:
    """Finds near points by looking only into the buckets that a query falls into.

    A point is a candidate when it shares all ``n_hashes`` values with the query (AND) in at least
    one of ``n_tables`` tables (OR). Candidates are ranked by their exact distance.

    Parameters
    ----------
    n_tables : int
        More tables find more of the neighbours, and examine more candidates.
    n_hashes : int
        Functions a table; more of them make buckets smaller.
    width : float
        Bucket width, in units of length of the vectors: of the order of the distances searched.
    random_offsets : bool
        Draw each offset b uniformly from one bucket. False fixes all of them at 0, which leaves
        the bucket edges where they are: it is here to show what that costs.
    seed : int
        Of directions and offsets.

    Attributes
    ----------
    item_ids_ : int64 array, shape (n,), in order of adding
    vectors_ : float32 array, shape (n, embedding_dim)
    directions_ : float32 array, shape (embedding_dim, n_tables * n_hashes)
    offsets_ : float32 array, shape (n_tables * n_hashes,)
    """

    def __init__(
        self,
        *,
        n_tables: int = 8,
        n_hashes: int = 4,
        width: float = 1.0,
        random_offsets: bool = True,
        seed: int = DEFAULT_SEED,
    ):
        self.n_tables = n_tables
        self.n_hashes = n_hashes
        self.width = width
        self.random_offsets = random_offsets
        self.seed = seed

    def fit(self, table: EmbeddingTable) -> Self:
        """Draw the hash functions and put the vectors of ``table`` into their buckets."""
        if self.n_tables < 1 or self.n_hashes < 1 or not self.width > 0:
            raise RecsysError(
                "n_tables and n_hashes must be at least 1 and width positive, "
                f"not {self.n_tables}, {self.n_hashes} and {self.width}."
            )
        # A stream and a row for each function: an index of more tables keeps the first ones.
        shape = (self.n_tables * self.n_hashes, table.embedding_dim)
        directions = generator(self.seed, "lsh directions").standard_normal(shape)
        offsets = generator(self.seed, "lsh offsets").random(shape[0]) * self.width
        self.directions_ = directions.T.astype(np.float32)
        self.offsets_ = (offsets if self.random_offsets else 0 * offsets).astype(np.float32)
        # A bucket's n_hashes numbers become one: an odd multiplier each, summed modulo 2^64.
        draw = generator(self.seed, "lsh multipliers")
        self.multipliers_ = draw.integers(-(2**62), 2**62, self.n_hashes) * 2 + 1
        self._put(table.item_ids, table.vectors)
        return self

    def add(self, table: EmbeddingTable) -> Self:
        """Put further items into the same buckets' tables.

        Raises
        ------
        DataError
            An item is in the index already.
        """
        known = np.isin(table.item_ids, self.item_ids_)
        if known.any():
            raise DataError(f"Item {table.item_ids[known][0]} is in the index already.")
        item_ids = np.concatenate([self.item_ids_, table.item_ids])
        self._put(item_ids, np.concatenate([self.vectors_, table.vectors]))
        return self

    def _put(self, item_ids: np.ndarray, vectors: np.ndarray) -> None:
        self.item_ids_, self.vectors_ = item_ids, vectors
        keys = self._keys(vectors).T  # (n_tables, n)
        # A bucket is a run of equal keys: no dictionary, and a lookup is two binary searches.
        self._rows = np.argsort(keys, axis=1, kind="stable")
        self._sorted_keys = np.take_along_axis(keys, self._rows, axis=1)

    def _keys(self, vectors: np.ndarray) -> np.ndarray:
        """Return each vector's bucket in each table as one number: int64, (n, n_tables)."""
        values = hash_values(vectors, self.directions_, self.offsets_, self.width)
        per_table = values.reshape(len(vectors), self.n_tables, self.n_hashes)
        return per_table @ self.multipliers_  # wraps around, as meant

    def candidates(self, queries: np.ndarray) -> list[np.ndarray]:
        """Return for each query the rows of ``item_ids_`` in its buckets, each once, ascending."""
        keys = self._keys(as_queries(queries, len(self.directions_), k=1))
        tables = range(self.n_tables)
        first = [np.searchsorted(self._sorted_keys[t], keys[:, t], "left") for t in tables]
        last = [np.searchsorted(self._sorted_keys[t], keys[:, t], "right") for t in tables]
        return [
            np.unique(np.concatenate([self._rows[t, first[t][q] : last[t][q]] for t in tables]))
            for q in range(len(keys))
        ]

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest candidates of each query, nearest first.

        Parameters
        ----------
        queries : float array, shape (m, embedding_dim)
        k : int

        Returns
        -------
        item_ids : int64 array, shape (m, k), padded with -1 where buckets held fewer
        distances : float32 array, shape (m, k), Euclidean, padded with inf
        """
        queries = as_queries(queries, len(self.directions_), k)
        item_ids = np.full((len(queries), k), NO_ITEM, dtype=np.int64)
        distances = np.full((len(queries), k), np.inf, dtype=np.float32)
        for q, rows in enumerate(self.candidates(queries)):
            distance = np.linalg.norm(self.vectors_[rows] - queries[q], axis=1)
            nearest, value = smallest(distance[None], k)
            item_ids[q, : nearest.size] = self.item_ids_[rows[nearest[0]]]
            distances[q, : nearest.size] = value[0]
        return item_ids, distances

    def save(self, path: Path) -> None:
        """Write the index to one ``.npz`` file, atomically: numbers only, no code."""
        settings = {name: getattr(self, name) for name in SETTINGS}
        arrays = {name: getattr(self, name) for name in ARRAYS}
        with files.atomic_path(Path(path)) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, **settings, **arrays)

    @classmethod
    def load(cls, path: Path) -> "EuclideanLSH":
        """Read an index that :meth:`save` wrote.

        Raises
        ------
        DataError
            The file holds no such index.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                index = cls(**{name: stored[name].item() for name in SETTINGS})
                for name in ARRAYS:
                    setattr(index, name, stored[name])
        except (
            OSError,
            EOFError,
            ValueError,
            KeyError,
            AttributeError,
            zipfile.BadZipFile,
        ) as error:
            raise DataError(f"No LSH index can be read from {path}: {error}") from None
        index._put(index.item_ids_, index.vectors_)
        return index
