"""User-to-user recall: what people with the same likes liked (Resnick et al., 1994)."""

from functools import cached_property

import numpy as np
from scipy import sparse

from recsys_lib.recall.channels.base import Channel
from recsys_lib.recall.channels.neighbours import check_neighbours, cosine_neighbours, cosines
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import LIKE_THRESHOLD


class UserKNN(Channel):
    """Score = sum of the similarities of the neighbours who like an item.

    The similarity of two users is the cosine of their rows of likes with a shrinkage in the
    denominator, as :class:`ItemKNN` has it for items. Items are alike by the cosine of
    their columns of likes.

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
    users_ : scipy CSR matrix of float32, shape (n_users, n_users)
        Similarities to the nearest users that :meth:`fit` has seen.
    """

    name = "user_knn"
    has_similar_items = True

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

    def _fit(self, seen: Histories) -> None:
        check_neighbours(self.n_neighbours, self.shrinkage)
        self.likes_ = seen.likes(self.min_rating)
        self.__dict__.pop("_liked_by", None)  # of an earlier fit

    def _represent(self, given: Histories) -> sparse.csr_matrix:
        likes = given.likes(self.min_rating)
        itself = self.matrix_.users_of(given.matrix.user_ids)
        return cosine_neighbours(likes, self.likes_, itself, self.n_neighbours, self.shrinkage)

    def _score(self, users: sparse.csr_matrix) -> np.ndarray:
        score = (users @ self.likes_).toarray()  # (m, n_items)
        return np.where(score > 0, score, -np.inf)

    def _similar(self, columns: np.ndarray) -> np.ndarray:
        return cosines(self._liked_by, columns)

    @cached_property
    def _liked_by(self) -> sparse.csr_matrix:
        return self.likes_.T.tocsr()  # (n_items, n_users)
