"""Locality-sensitive hashing (局部敏感哈希): what both hash families have in common."""

from abc import abstractmethod

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.indexes.base import VectorIndex
from recsys_lib.indexes.buckets import Buckets, make_buckets
from recsys_lib.seeding import generator

NUMBERS_AT_ONCE = 8_000_000  # bounds the hash values computed together, 64 MB of int64
MAX_HASHES = 62  # of one table: its functions are the bits of an int64
MIN_RECENT = 1_024  # rows that are kept apart from the rest before all are sorted anew


class LSHIndex(VectorIndex):
    """Finds near items by looking only into the buckets that a query falls into.

    An item is a candidate when it shares all ``n_hashes`` values with the query (AND) in at least
    one of ``n_tables`` tables (OR). Multi-probe (多探测) search looks into ``n_probes`` further
    buckets, those that a query would have fallen into had it lain a little to the side, nearest
    first over all tables (Lv et al., 2007). Candidates are ranked by their exact distance.

    A table takes 4 bytes an item and some 12 a bucket. Searching changes nothing that another
    thread could see, adding and removing do.

    A subclass is a hash family: it sets ``directions_`` (float32, (embedding_dim, n_tables *
    n_hashes)) and says what follows from the projections on them.
    """

    LEARNT = ("directions_", "multipliers_")
    n_tables: int
    n_hashes: int
    n_probes: int
    seed: int

    @abstractmethod
    def _values(self, vectors: np.ndarray) -> np.ndarray:
        """Return hash values: int64, (m, n_tables * n_hashes)."""

    @abstractmethod
    def _moves(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return hash values, and how each of them may change.

        Returns
        -------
        values : int64, (m, n_tables * n_hashes)
        cost : float32, (m, n_tables * n_hashes, n_ways), squared distance to the bucket's edge
        change : int64 of the same shape, what is added to the value beyond that edge
        """

    @abstractmethod
    def collision_probability(self, distance) -> np.ndarray:
        """Return the probability that an item at this distance becomes a candidate.

        It is the closed form, over the draws of the hash functions, without further probes.
        """

    def _draw(self, embedding_dim: int) -> None:
        for name, least in (("n_tables", 1), ("n_hashes", 1), ("n_probes", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < least:
                raise RecsysError(f"{name} must be an integer of at least {least}, not {value!r}.")
        if self.n_hashes > MAX_HASHES:
            raise RecsysError(f"n_hashes must be at most {MAX_HASHES}, not {self.n_hashes}.")
        # A row for each function: an index of more tables keeps the first ones.
        shape = (self.n_tables * self.n_hashes, embedding_dim)
        directions = generator(self.seed, "lsh directions").standard_normal(shape)
        self.directions_ = np.ascontiguousarray(directions.T, dtype=np.float32)
        # A bucket's n_hashes numbers become one: an odd multiplier each, summed modulo 2^64. So
        # a changed value changes the key by a multiple of its multiplier, whatever the others.
        draw = generator(self.seed, "lsh multipliers")
        self.multipliers_ = draw.integers(-(2**62), 2**62, self.n_hashes) * 2 + 1

    def _insert(self, first: int) -> None:
        """Put new rows into buckets: of the recent ones, or of all once these have grown many.

        Sorting the recent rows at each addition and all rows after every sqrt(n) of them is the
        cheapest balance for items that come one by one.
        """
        if first == 0 or (self._n_rows - self._n_sorted) > max(MIN_RECENT, self._n_sorted**0.5):
            self._n_sorted = self._n_rows
            self._main = self._buckets(0, self._n_rows)
        self._recent = self._buckets(self._n_sorted, self._n_rows)

    def _buckets(self, first: int, last: int) -> Buckets:
        at_once = self._rows_at_once()
        keys = np.empty((last - first, self.n_tables), dtype=np.uint64)
        for start in range(first, last, at_once):
            part = slice(start, min(start + at_once, last))
            values = self._values(self._vectors[part])
            keys[part.start - first : part.stop - first] = self._keys(values)
        return make_buckets(keys, first)

    def _keys(self, values: np.ndarray) -> np.ndarray:
        """Return each vector's bucket in each table as one number: uint64, (m, n_tables)."""
        per_table = values.reshape(len(values), self.n_tables, self.n_hashes)
        return (per_table @ self.multipliers_).view(np.uint64)  # wraps around, as meant

    def _rows_at_once(self) -> int:
        return max(1, NUMBERS_AT_ONCE // self.directions_.shape[1])

    def _probing(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return keys (m, n_tables), costs and key steps of moves (m, n_tables, n_hashes, ways)."""
        values, cost, change = self._moves(queries)
        shape = (len(queries), self.n_tables, self.n_hashes, cost.shape[2])
        step = change.reshape(shape) * self.multipliers_[:, None]
        return self._keys(values), cost.reshape(shape), step.view(np.uint64)

    def candidates(self, queries: np.ndarray) -> list[np.ndarray]:
        """Return for each query its candidates as rows of ``item_ids_``, each once, ascending."""
        tables = (self.n_probes, self._main, self._recent, self._hidden)
        plans = zip(*self._probing(self._as_queries(queries)), strict=True)
        return [_loops().candidates(*plan, *tables) for plan in plans]

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        at_once, cosine = self._rows_at_once(), self.metric == "cosine"
        tables = (self.n_probes, self._main, self._recent, self._hidden)
        parts = []
        for start in range(0, max(1, len(queries)), at_once):
            some = queries[start : start + at_once]
            parts.append(
                _loops().nearest(some, cosine, self._vectors, *self._probing(some), *tables, k)
            )
        rows, distances = (np.concatenate(part) for part in zip(*parts, strict=True))
        return rows, distances


def _loops():
    """Compile the loops on first use: numba takes seconds that few importers need."""
    from recsys_lib.indexes import _lsh_loops

    return _lsh_loops
