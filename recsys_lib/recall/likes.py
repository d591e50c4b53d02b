"""What the channels learn from: who liked what."""

import numpy as np
from scipy import sparse

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.schema import LIKE_THRESHOLD


def likes_of(matrix: InteractionMatrix) -> sparse.csr_matrix:
    """Return the likes as ones: float32 CSR, (n_users, n_items), nothing else stored."""
    likes = matrix.ratings.copy()
    likes.data = (likes.data >= LIKE_THRESHOLD).astype(np.float32)
    likes.eliminate_zeros()
    return likes


def like_counts(likes: sparse.csr_matrix) -> np.ndarray:
    """Return how many users like each item: float32, (n_items,)."""
    return np.bincount(likes.indices, minlength=likes.shape[1]).astype(np.float32)
