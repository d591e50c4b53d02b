"""Exact nearest neighbours: what every approximate index is measured against."""

from typing import Self

import numpy as np

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import NO_ITEM

DISTANCES_AT_ONCE = 16_000_000  # bounds the dense matrix of distances, 64 MB of float32


class ExactIndex:
    """All distances by one matrix product, then the nearest.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
        ``cosine`` is 1 - the cosine of the angle. For vectors of length 1 it is half of the
        squared Euclidean distance, so that both give the same order; for others they don't.
    """

    def __init__(self, *, metric: str = "euclidean"):
        self.metric = metric

    def fit(self, table: EmbeddingTable) -> Self:
        """Keep the vectors of ``table``."""
        if self.metric not in ("euclidean", "cosine"):
            raise RecsysError(f"metric must be 'euclidean' or 'cosine', not {self.metric!r}.")
        kept = table.normalized() if self.metric == "cosine" else table
        self.item_ids_, self.vectors_ = kept.item_ids, kept.vectors
        self.squared_length_ = np.einsum("nd,nd->n", self.vectors_, self.vectors_)
        return self

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest items of each query, nearest first.

        Parameters
        ----------
        queries : float array, shape (m, embedding_dim)
        k : int

        Returns
        -------
        item_ids : int64 array, shape (m, k), padded with -1
        distances : float32 array, shape (m, k), padded with inf
        """
        queries = as_queries(queries, self.vectors_.shape[1], k)
        item_ids = np.full((len(queries), k), NO_ITEM, dtype=np.int64)
        distances = np.full((len(queries), k), np.inf, dtype=np.float32)
        at_once = max(1, DISTANCES_AT_ONCE // max(1, len(self.item_ids_)))
        for start in range(0, len(queries), at_once):
            some = slice(start, start + at_once)
            nearest, distance = smallest(self._distances(queries[some]), k)
            item_ids[some, : nearest.shape[1]] = self.item_ids_[nearest]
            distances[some, : nearest.shape[1]] = distance
        return item_ids, distances

    def _distances(self, queries: np.ndarray) -> np.ndarray:
        """Return all distances: float32, (m, n_items)."""
        if self.metric == "cosine":
            length = np.linalg.norm(queries, axis=1, keepdims=True)
            return 1 - (queries / np.where(length > 0, length, 1)) @ self.vectors_.T
        # |q - x|^2 = |q|^2 - 2 q.x + |x|^2; rounding can take it just below 0.
        squared = queries @ self.vectors_.T  # (m, n_items)
        squared *= -2
        squared += self.squared_length_
        squared += np.einsum("md,md->m", queries, queries)[:, None]
        return np.sqrt(np.maximum(squared, 0, out=squared), out=squared)


def as_queries(queries, embedding_dim: int, k: int) -> np.ndarray:
    """Return queries as float32 (m, embedding_dim), or say what is wrong with them or ``k``."""
    queries = np.asarray(queries, dtype=np.float32)
    if queries.ndim != 2 or queries.shape[1] != embedding_dim:
        raise RecsysError(
            f"queries must have shape (m, {embedding_dim}), one vector a row, not {queries.shape}."
        )
    if k < 1:
        raise RecsysError(f"k must be at least 1, not {k}.")
    return queries


def smallest(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return columns and values of the ``min(k, n)`` smallest of each row of (m, n), in order."""
    n = values.shape[1]
    if k < n:
        column = np.argpartition(values, k - 1, axis=1)[:, :k]
        column.sort(axis=1)  # among equals, the first column first
    else:
        column = np.broadcast_to(np.arange(n), values.shape)
    value = np.take_along_axis(values, column, axis=1)
    order = np.argsort(value, axis=1, kind="stable")
    return np.take_along_axis(column, order, axis=1), np.take_along_axis(value, order, axis=1)
