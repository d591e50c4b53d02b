"""What vector channels share: a user's vector, an item's vector, their product."""

import numpy as np

from recsys_lib.recall.channels.base import Channel
from recsys_lib.recall.channels.neighbours import cosines


class FactorModel(Channel):
    """Score = inner product of a user's and an item's vector.

    A vector of zeros means that nothing is known: such users and items get nothing. Items are
    alike by the cosine of their vectors.

    Attributes
    ----------
    item_vectors_ : float32 array, shape (n_items, embedding_dim)
    users_ : float32 array, shape (n_users, embedding_dim)
        The users' vectors.
    """

    has_similar_items = True
    item_vectors_: np.ndarray

    def _score(self, users: np.ndarray) -> np.ndarray:
        score = users @ self.item_vectors_.T  # (m, n_items)
        # Assigning through a mask costs a pass over the scores, even where nothing is to be set.
        without_item = ~self.item_vectors_.any(axis=1)
        without_user = ~users.any(axis=1)
        if without_item.any():
            score[:, without_item] = -np.inf
        if without_user.any():
            score[without_user] = -np.inf
        return score

    def _similar(self, columns: np.ndarray) -> np.ndarray:
        return cosines(self.item_vectors_, columns)
