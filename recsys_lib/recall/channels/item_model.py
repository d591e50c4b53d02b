"""What item-based channels share: a user's profile of likes times a matrix of item weights."""

from abc import abstractmethod

import numpy as np
from scipy import sparse

from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.base import Channel
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, USER


class ProfileModel(Channel):
    """Score = the user's likes times item weights. A subclass learns ``weights_`` in ``_fit``.

    Users without a like get nothing, and so do items whose score is not positive where the
    weights are sparse. Items are alike by their weight.

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
    weights_ : float32 array or scipy CSR matrix, shape (n_items, n_items)
        Row: item liked; column: item scored.
    users_ : scipy CSR matrix of float32, shape (n_users, n_items)
        Profiles: the likes, weighted by age.
    """

    has_similar_items = True

    def __init__(
        self,
        *,
        min_rating: float | None = LIKE_THRESHOLD,
        half_life_likes: float | None = None,
    ):
        self.min_rating = min_rating
        self.half_life_likes = half_life_likes

    @property
    def _profile_rating(self) -> float | None:
        """Stars from which an interaction is in a user's profile; None takes them all."""
        return self.min_rating

    def _check_half_life(self) -> None:
        if self.half_life_likes is not None and not self.half_life_likes > 0:
            raise RecsysError(f"half_life_likes must be positive, not {self.half_life_likes}.")

    def _likes(self, of: Histories) -> sparse.csr_matrix:
        """Return the likes, all of one age: float32 CSR, (of.matrix.n_users, n_items)."""
        return of.likes(self._profile_rating)

    def _represent(self, given: Histories) -> sparse.csr_matrix:
        likes, matrix = self._likes(given), given.matrix
        if self.half_life_likes is None:
            return likes
        in_time = given.likes_in_time(self._profile_rating)
        weight = 0.5 ** (in_time["age"].to_numpy(np.float32) / np.float32(self.half_life_likes))
        place = matrix.users_of(in_time[USER]), matrix.items_of(in_time[ITEM])
        return likes.multiply(sparse.csr_matrix((weight, place), likes.shape)).tocsr()

    def _score(self, users: sparse.csr_matrix) -> np.ndarray:
        score = users @ self.weights_  # (m, n_items)
        if sparse.issparse(score):
            score = score.toarray()
            score[score <= 0] = -np.inf
        score[np.diff(users.indptr) == 0] = -np.inf
        return score

    def _similar(self, columns: np.ndarray) -> np.ndarray:
        weights = self.weights_[columns]
        weights = weights.toarray() if sparse.issparse(weights) else weights
        return np.where(weights == 0, -np.inf, weights)  # 0: nothing is known of the pair


class ItemModel(ProfileModel):
    """A profile model whose item weights are learned from who liked what, whatever the order.

    A subclass implements :meth:`_weights`.
    """

    @abstractmethod
    def _weights(self, likes: sparse.csr_matrix) -> np.ndarray | sparse.csr_matrix:
        """Return the item weights, (n_items, n_items), learned from likes (n_users, n_items)."""

    def _fit(self, seen: Histories) -> None:
        self._check_half_life()
        self.weights_ = self._weights(self._likes(seen))
