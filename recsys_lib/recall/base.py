"""The one interface of everything that recalls items for users."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.matrix import NO_ITEM, InteractionMatrix
from recsys_lib.errors import RecsysError
from recsys_lib.schema import ITEM, USER
from recsys_lib.seeding import key_hash

USERS_AT_ONCE = 2_048  # bounds the dense score matrix


class Recaller(ABC):
    """Something that learns from interactions and returns the best unseen items of each user.

    The constructor of a subclass only stores hyper-parameters.

    Attributes
    ----------
    matrix_ : InteractionMatrix
        What :meth:`fit` has seen.
    """

    matrix_: InteractionMatrix

    @abstractmethod
    def fit(self, interactions: pd.DataFrame) -> Self:
        """Learn from interactions (columns of :data:`recsys_lib.schema.INTERACTIONS`)."""

    @abstractmethod
    def recommend(
        self, user_ids, k: int, exclude: pd.DataFrame | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` best items of each user, best first.

        Items the user has interacted with are never returned; ties are broken by a hash of the
        item's id.

        Parameters
        ----------
        user_ids : array of int64, shape (n,)
            Raw ids. A user without interactions gets a row of padding.
        k : int
            Items a user, at least 1.
        exclude : DataFrame, optional
            Pairs (``user_id``, ``item_id``) not to return, besides what :meth:`fit` has seen.

        Returns
        -------
        item_ids : int64 array, shape (n, k), padded with -1
        scores : float32 array, shape (n, k), padded with -inf
        """

    def _check_request(self, k: int) -> None:
        if not hasattr(self, "matrix_"):
            raise RecsysError(f"{type(self).__name__} recommends only after fit().")
        if k < 1:
            raise RecsysError(f"k must be at least 1, not {k}.")


class Channel(Recaller):
    """A recaller that scores all items for a user: one recall channel (召回通道).

    A subclass implements :meth:`_fit` and :meth:`_score`.
    """

    def fit(self, interactions: pd.DataFrame) -> Self:
        self.matrix_ = InteractionMatrix.from_frame(interactions)
        self._fit(self.matrix_, interactions)
        return self

    @abstractmethod
    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        """Learn; ``matrix`` holds the same interactions as ``interactions``."""

    @abstractmethod
    def _score(self, user_index: np.ndarray) -> np.ndarray:
        """Score all items for rows of the matrix: float32, (len(user_index), n_items).

        Higher is better; ``-inf`` means that the channel does not recall the item.
        """

    def recommend(
        self, user_ids, k: int, exclude: pd.DataFrame | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        self._check_request(k)
        user_ids = np.asarray(user_ids, dtype=np.int64)
        item_ids = np.full((len(user_ids), k), NO_ITEM, dtype=np.int64)
        scores = np.full((len(user_ids), k), -np.inf, dtype=np.float32)
        row = self.matrix_.users_of(user_ids)
        known = np.flatnonzero(row >= 0)
        barred = self._barred(exclude)
        for start in range(0, len(known), USERS_AT_ONCE):
            chunk = known[start : start + USERS_AT_ONCE]
            score = np.array(self._score(row[chunk]), dtype=np.float32)  # (m, n_items)
            for pairs in (self.matrix_.ratings, barred):
                of_chunk = pairs[row[chunk]]
                score_row = np.repeat(np.arange(len(chunk)), np.diff(of_chunk.indptr))
                score[score_row, of_chunk.indices] = -np.inf
            item_ids[chunk], scores[chunk] = top_k(score, self.matrix_.item_ids, k)
        return item_ids, scores

    def _barred(self, exclude: pd.DataFrame | None) -> sparse.csr_matrix:
        """Return the pairs to exclude as a matrix beside ``matrix_.ratings``."""
        shape = self.matrix_.ratings.shape
        if exclude is None:
            return sparse.csr_matrix(shape, dtype=np.int8)
        row, column = self.matrix_.users_of(exclude[USER]), self.matrix_.items_of(exclude[ITEM])
        known = (row >= 0) & (column >= 0)
        ones = np.ones(known.sum(), dtype=np.int8)
        return sparse.csr_matrix((ones, (row[known], column[known])), shape=shape)


def top_k(score: np.ndarray, item_ids: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and scores of the ``k`` best columns of each row, best first.

    Parameters
    ----------
    score : float32 array, shape (m, n_items); ``-inf`` and NaN are never returned
    item_ids : int64 array, shape (n_items,)

    Returns
    -------
    item_ids : int64 array, shape (m, k), padded with -1
    scores : float32 array, shape (m, k), padded with -inf

    Equal scores are ordered by a hash of the item's id: the ids themselves tell of age and
    popularity.
    """
    m, n_items = score.shape
    score = np.where(np.isnan(score), -np.inf, score).astype(np.float32)
    best_ids = np.full((m, k), NO_ITEM, dtype=np.int64)
    best = np.full((m, k), -np.inf, dtype=np.float32)
    width = min(k, n_items)
    if m == 0 or width == 0:
        return best_ids, best
    threshold = -np.partition(-score, width - 1, axis=1)[:, width - 1 : width]
    # More than k columns of a row may pass: those that equal its k-th score.
    row, column = np.nonzero((score >= threshold) & (score > -np.inf))
    value = score[row, column]
    order = np.lexsort((key_hash(item_ids[column]), -value, row))
    row, column, value = row[order], column[order], value[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    kept = place < k
    best_ids[row[kept], place[kept]] = item_ids[column[kept]]
    best[row[kept], place[kept]] = value[kept]
    return best_ids, best
