"""Item-to-item recall: items liked by the same people (Linden, Smith and York, 2003)."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import Channel, top_k
from recsys_lib.recall.likes import like_counts, likes_of

ITEMS_AT_ONCE = 1_024  # bounds the dense slice of the similarity matrix


class ItemKNN(Channel):
    """Score = sum of an item's similarities to what the user liked.

    The similarity of items i and j is the cosine of their columns of likes with a shrinkage
    against chance, ``n_ij / (sqrt(n_i * n_j) + shrinkage)``: ``n_ij`` people like both, ``n_i``
    like i. Without a normalisation every item's nearest neighbour would be the most popular one.

    Parameters
    ----------
    n_neighbours : int
        Similar items kept for each item.
    shrinkage : float
        In likes; 0 is the plain cosine, which a single common fan can drive to 1. The defaults are
        those that validation chooses on MovieLens 100K, in notebook 05.

    Attributes
    ----------
    similarity_ : scipy CSR matrix of float32, shape (n_items, n_items)
        Row i holds the ``n_neighbours`` items most similar to i, itself left out.
    """

    def __init__(self, *, n_neighbours: int = 50, shrinkage: float = 0.0):
        self.n_neighbours = n_neighbours
        self.shrinkage = shrinkage

    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        if self.n_neighbours < 1 or self.shrinkage < 0:
            raise RecsysError(
                "n_neighbours must be at least 1 and shrinkage not negative, "
                f"not {self.n_neighbours} and {self.shrinkage}."
            )
        self.likes_ = likes_of(matrix)
        self.similarity_ = self._similarity(self.likes_)

    def _similarity(self, likes: sparse.csr_matrix) -> sparse.csr_matrix:
        n_items = likes.shape[1]
        of_item = likes.T.tocsr()
        length = np.sqrt(like_counts(likes))
        width = min(self.n_neighbours, n_items)
        columns, values = [], []
        for start in range(0, n_items, ITEMS_AT_ONCE):
            rows = np.arange(start, min(start + ITEMS_AT_ONCE, n_items))
            together = (of_item[rows] @ likes).toarray()  # (rows, n_items)
            scale = length[rows, None] * length + np.float32(self.shrinkage)
            similarity = np.divide(together, scale, out=np.zeros_like(together), where=scale > 0)
            similarity[np.arange(len(rows)), rows] = -np.inf
            neighbour, value = top_k(similarity, np.arange(n_items), width)
            columns.append(neighbour)
            values.append(value)
        column, value = np.concatenate(columns), np.concatenate(values)  # (n_items, width)
        row = np.broadcast_to(np.arange(n_items)[:, None], column.shape)
        kept = value > 0
        return sparse.csr_matrix((value[kept], (row[kept], column[kept])), shape=(n_items, n_items))

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        score = (self.likes_[user_index] @ self.similarity_).toarray()  # (m, n_items)
        return np.where(score > 0, score, -np.inf)
