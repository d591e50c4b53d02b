"""Recall by vectors: what lies near the items a user liked lately."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.data.splits import in_time_order
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import Channel
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, USER


class VectorRecaller(Channel):
    """Score = cosine of an item's vector and the mean vector of the user's recent likes.

    All vectors are brought to length 1 first, so that each like counts the same. Disliked items
    stay out of the mean. Items without a vector are not recalled, and a user none of whose recent
    likes has a vector gets a row of padding.

    Parameters
    ----------
    table : EmbeddingTable
    n_recent : int, optional
        Number of last likes averaged; by default all of them.

    Attributes
    ----------
    user_vectors_ : float32 array, shape (n_users, embedding_dim)
        Rows of length 1, or zero for a user without a vector.
    item_vectors_ : float32 array, shape (n_items, embedding_dim)
        Rows of length 1, or zero for an item without a vector.
    """

    def __init__(self, table: EmbeddingTable, *, n_recent: int | None = None):
        self.table = table
        self.n_recent = n_recent

    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        if self.n_recent is not None and self.n_recent < 1:
            raise RecsysError(f"n_recent must be at least 1, not {self.n_recent}.")
        self.item_vectors_ = np.zeros((matrix.n_items, self.table.embedding_dim), np.float32)
        has_vector = self.table.contains(matrix.item_ids)
        unit = self.table.normalized()
        self.item_vectors_[has_vector] = unit.vectors_of(matrix.item_ids[has_vector])

        likes = in_time_order(interactions[interactions[RATING] >= LIKE_THRESHOLD])
        likes = likes.drop_duplicates([USER, ITEM], keep="last")
        if self.n_recent is not None:
            likes = likes.groupby(USER).tail(self.n_recent)
        liked = sparse.csr_matrix(
            (
                np.ones(len(likes), np.float32),
                (matrix.users_of(likes[USER]), matrix.items_of(likes[ITEM])),
            ),
            shape=matrix.ratings.shape,
        )
        # The mean's direction is the sum's: what is divided by is lost in the cosine.
        total = liked @ self.item_vectors_  # (n_users, embedding_dim)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        self.user_vectors_ = total / np.where(length > 0, length, 1)

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        score = self.user_vectors_[user_index] @ self.item_vectors_.T  # (m, n_items)
        score[:, ~self.item_vectors_.any(axis=1)] = -np.inf
        score[~self.user_vectors_[user_index].any(axis=1)] = -np.inf
        return score
