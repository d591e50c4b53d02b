"""Exact nearest neighbours: what every approximate index is measured against."""

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.indexes.base import METRICS, VectorIndex

DISTANCES_AT_ONCE = 16_000_000  # bounds the dense matrix of distances, 64 MB of float32


class ExactIndex(VectorIndex):
    """All distances by one matrix product, then the nearest.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
        ``cosine`` is 1 - the cosine of the angle. For vectors of length 1 it is half of the
        squared Euclidean distance, so that both give the same order; for others they don't.
    """

    SETTINGS = ("metric",)

    def __init__(self, *, metric: str = "euclidean"):
        self.metric = metric

    def _draw(self, embedding_dim: int) -> None:
        if self.metric not in METRICS:
            raise RecsysError(f"metric must be 'euclidean' or 'cosine', not {self.metric!r}.")

    def _insert(self, first: int) -> None:
        self._squared_length = np.einsum("nd,nd->n", self.vectors_, self.vectors_)

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.zeros((len(queries), k), dtype=np.int64)
        distances = np.full((len(queries), k), np.inf, dtype=np.float32)
        at_once = max(1, DISTANCES_AT_ONCE // max(1, self._n_rows))
        for start in range(0, len(queries), at_once):
            some = slice(start, start + at_once)
            column, distance = smallest(self._distances(queries[some]), k)
            rows[some, : column.shape[1]] = column
            distances[some, : column.shape[1]] = distance
        return rows, distances

    def _distances(self, queries: np.ndarray) -> np.ndarray:
        """Return all distances: float32, (m, n_rows)."""
        distance = queries @ self.vectors_.T  # (m, n_rows)
        if self.metric == "cosine":
            np.subtract(1, distance, out=distance)
        else:
            # |q - x|^2 = |q|^2 - 2 q.x + |x|^2; rounding can take it just below 0.
            distance *= -2
            distance += self._squared_length
            distance += np.einsum("md,md->m", queries, queries)[:, None]
            np.sqrt(np.maximum(distance, 0, out=distance), out=distance)
        if len(self) < self._n_rows:
            distance[:, self._hidden[: self._n_rows]] = np.inf
        return distance


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
