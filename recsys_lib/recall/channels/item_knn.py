"""Item-to-item recall: items liked by the same people (Linden, Smith and York, 2003)."""

import numpy as np
from scipy import sparse

from recsys_lib.recall.channels.item_model import ItemModel
from recsys_lib.recall.channels.neighbours import cosine_neighbours
from recsys_lib.schema import LIKE_THRESHOLD


class ItemKNN(ItemModel):
    """Score = sum of an item's similarities to what the user liked.

    The similarity of items i and j is the cosine of their columns of likes with a shrinkage
    against chance, ``n_ij / (sqrt(n_i * n_j) + shrinkage)``: ``n_ij`` people like both, ``n_i``
    like i. Without a normalisation every item's nearest neighbour would be the most popular one.
    Row i of ``weights_`` holds the items most similar to i, itself left out.

    Parameters
    ----------
    n_neighbours : int
        Similar items kept for each item. The lab 05_lab_recall compares numbers on validation.
    shrinkage : float
        In likes; 0 is the plain cosine, which a single common fan can drive to 1.
    min_rating, half_life_likes
        See :class:`ItemModel`.
    """

    name = "item_knn"

    def __init__(
        self,
        *,
        n_neighbours: int = 50,
        shrinkage: float = 0.0,
        min_rating: float | None = LIKE_THRESHOLD,
        half_life_likes: float | None = None,
    ):
        super().__init__(min_rating=min_rating, half_life_likes=half_life_likes)
        self.n_neighbours = n_neighbours
        self.shrinkage = shrinkage

    def _weights(self, likes: sparse.csr_matrix) -> sparse.csr_matrix:
        liked_by = likes.T.tocsr()  # (n_items, n_users)
        itself = np.arange(likes.shape[1])
        return cosine_neighbours(liked_by, liked_by, itself, self.n_neighbours, self.shrinkage)
