"""EASE: the linear model that predicts an item from all others, in closed form (Steck, 2019)."""

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import Channel
from recsys_lib.recall.likes import likes_of

# The dense inverse takes 8 bytes x n_items^2 several times over: about 10 GB at this size.
LARGEST_CATALOGUE = 20_000


class Ease(Channel):
    """Score = the user's likes times item weights ``B``.

    ``B`` minimises the squared error of ``X B`` against the likes ``X`` plus
    ``regularization * |B|^2``, with a diagonal of zero so that no item predicts itself.

    Parameters
    ----------
    regularization : float
        In likes: what is added to each item's count on the diagonal of ``X^T X``. The
        default is what validation chooses on MovieLens 100K, in notebook 05.

    Attributes
    ----------
    weights_ : float32 array, shape (n_items, n_items)
    """

    def __init__(self, *, regularization: float = 800.0):
        self.regularization = regularization

    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        if not self.regularization > 0:
            raise RecsysError(f"regularization must be positive, not {self.regularization}.")
        if matrix.n_items > LARGEST_CATALOGUE:
            raise RecsysError(
                f"Ease inverts a dense matrix of all items: {matrix.n_items:,} of them are too "
                f"many (at most {LARGEST_CATALOGUE:,}). Use ItemKNN instead."
            )
        self.likes_ = likes_of(matrix)
        gram = (self.likes_.T @ self.likes_).toarray().astype(np.float64)
        inverse = np.linalg.inv(gram + self.regularization * np.eye(matrix.n_items))
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0)
        self.weights_ = weights.astype(np.float32)

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        score = self.likes_[user_index] @ self.weights_  # (m, n_items)
        score[np.diff(self.likes_[user_index].indptr) == 0] = -np.inf
        return score
