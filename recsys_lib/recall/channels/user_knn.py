"""User-to-user recall: what people with the same likes liked (Resnick et al., 1994)."""

import numpy as np
import pandas as pd

from recsys_lib.data.likes import likes_of
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.recall.base import Channel
from recsys_lib.recall.channels.item_knn import cosine_neighbours
from recsys_lib.schema import LIKE_THRESHOLD


class UserKNN(Channel):
    """Score = sum of the similarities of the neighbours who like an item.

    The similarity of two users is the cosine of their rows of likes with a shrinkage in the
    denominator, as :class:`ItemKNN` has it for items.

    Parameters
    ----------
    n_neighbours : int
        Similar users kept for each user.
    shrinkage : float
        In likes.
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.

    Attributes
    ----------
    likes_ : scipy CSR matrix of float32, shape (n_users, n_items)
    similarity_ : scipy CSR matrix of float32, shape (n_users, n_users)
    """

    def __init__(
        self,
        *,
        n_neighbours: int = 100,
        shrinkage: float = 0.0,
        min_rating: float | None = LIKE_THRESHOLD,
    ):
        self.n_neighbours = n_neighbours
        self.shrinkage = shrinkage
        self.min_rating = min_rating

    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        self.likes_ = likes_of(matrix, self.min_rating)
        by_user = self.likes_.T.tocsr()  # (n_items, n_users)
        self.similarity_ = cosine_neighbours(by_user, self.n_neighbours, self.shrinkage)

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        score = (self.similarity_[user_index] @ self.likes_).toarray()  # (m, n_items)
        return np.where(score > 0, score, -np.inf)
