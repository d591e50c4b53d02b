"""What EASE, item-to-item and random-walk recall share: likes times a matrix of item weights."""

from abc import abstractmethod

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.likes import likes_in_time, likes_of
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import Channel, top_k
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, USER

ITEMS_AT_ONCE = 1_024  # bounds the dense slice of a similarity matrix


class ItemModel(Channel):
    """Score = the user's likes times item weights. A subclass implements :meth:`_weights`.

    Users without a like get nothing, and so do items whose score is not positive where the
    weights are sparse.

    Parameters
    ----------
    min_rating : float, optional
        Stars from which an interaction is a like, both for learning and in the user's profile;
        None takes every interaction.
    half_life_likes : float, optional
        In a user's profile a like weighs half after so many later likes of that user; by default
        all weigh the same. Learning is not touched.

    Attributes
    ----------
    likes_ : scipy CSR matrix of float32, shape (n_users, n_items)
        Ones, where a subclass does not weigh them.
    profiles_ : scipy CSR matrix of float32, shape (n_users, n_items)
        The likes, weighted by age.
    weights_ : float32 array or scipy CSR matrix, shape (n_items, n_items)
        Row: item liked; column: item scored.
    """

    def __init__(
        self,
        *,
        min_rating: float | None = LIKE_THRESHOLD,
        half_life_likes: float | None = None,
    ):
        self.min_rating = min_rating
        self.half_life_likes = half_life_likes

    @abstractmethod
    def _weights(self, likes: sparse.csr_matrix) -> np.ndarray | sparse.csr_matrix:
        """Return the item weights, (n_items, n_items), learned from likes (n_users, n_items)."""

    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        if self.half_life_likes is not None and not self.half_life_likes > 0:
            raise RecsysError(f"half_life_likes must be positive, not {self.half_life_likes}.")
        self.likes_ = self._likes(matrix)
        self.profiles_ = self._profiles(matrix, interactions)
        self.weights_ = self._weights(self.likes_)

    def _likes(self, matrix: InteractionMatrix) -> sparse.csr_matrix:
        """Return what is learned from: float32 CSR, (n_users, n_items)."""
        return likes_of(matrix, self.min_rating)

    def _profiles(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> sparse.csr_matrix:
        if self.half_life_likes is None:
            return self.likes_
        likes = likes_in_time(interactions, self.min_rating)
        weight = 0.5 ** (likes["age"].to_numpy(np.float32) / np.float32(self.half_life_likes))
        place = matrix.users_of(likes[USER]), matrix.items_of(likes[ITEM])
        return self.likes_.multiply(sparse.csr_matrix((weight, place), self.likes_.shape)).tocsr()

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        profiles = self.profiles_[user_index]
        score = profiles @ self.weights_  # (m, n_items)
        if sparse.issparse(score):
            score = score.toarray()
            score[score <= 0] = -np.inf
        score[np.diff(profiles.indptr) == 0] = -np.inf
        return score


def nearest_columns(rows_of, n: int, n_neighbours: int) -> sparse.csr_matrix:
    """Keep the largest positive values of each row of a square matrix that is made in slices.

    Parameters
    ----------
    rows_of : function
        Given row numbers, returns these rows: float array, (len(rows), n). The diagonal is
        left out whatever it holds.
    n : int
    n_neighbours : int
        Values kept a row, at most.

    Returns
    -------
    scipy CSR matrix of float32, shape (n, n)
    """
    columns, values = [], []
    for start in range(0, n, ITEMS_AT_ONCE):
        rows = np.arange(start, min(start + ITEMS_AT_ONCE, n))
        similarity = rows_of(rows)
        similarity[np.arange(len(rows)), rows] = -np.inf
        column, value = top_k(similarity, np.arange(n), min(n_neighbours, n))
        columns.append(column)
        values.append(value)
    column, value = np.concatenate(columns), np.concatenate(values)  # (n, n_neighbours)
    row = np.broadcast_to(np.arange(n)[:, None], column.shape)
    kept = value > 0
    return sparse.csr_matrix((value[kept], (row[kept], column[kept])), shape=(n, n))
