"""What vector channels share: a user's vector, an item's vector, their product."""

import numpy as np

from recsys_lib.recall.base import Channel


class FactorModel(Channel):
    """Score = inner product of a user's and an item's vector.

    A vector of zeros means that nothing is known: such users and items get nothing.

    Attributes
    ----------
    user_vectors_ : float32 array, shape (n_users, embedding_dim)
    item_vectors_ : float32 array, shape (n_items, embedding_dim)
    """

    user_vectors_: np.ndarray
    item_vectors_: np.ndarray

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        score = self.user_vectors_[user_index] @ self.item_vectors_.T  # (m, n_items)
        # Assigning through a mask costs a pass over the scores, even where nothing is to be set.
        without_item = ~self.item_vectors_.any(axis=1)
        without_user = ~self.user_vectors_[user_index].any(axis=1)
        if without_item.any():
            score[:, without_item] = -np.inf
        if without_user.any():
            score[without_user] = -np.inf
        return score
