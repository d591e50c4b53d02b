"""Item-to-item recall: items liked by the same people (Linden, Smith and York, 2003)."""

import numpy as np
from scipy import sparse

from recsys_lib.data.likes import like_counts
from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.item_model import ItemModel, nearest_columns
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
        Similar items kept for each item.
    shrinkage : float
        In likes; 0 is the plain cosine, which a single common fan can drive to 1. The defaults are
        those that validation chooses on MovieLens 100K, in notebook 05.
    min_rating, half_life_likes
        See :class:`ItemModel`.
    """

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
        return cosine_neighbours(likes, self.n_neighbours, self.shrinkage)


def cosine_neighbours(
    likes: sparse.csr_matrix, n_neighbours: int, shrinkage: float
) -> sparse.csr_matrix:
    """Return the columns of ``likes`` most similar to each: CSR, (n_columns, n_columns).

    Similarity is the cosine with ``shrinkage`` added to its denominator, see :class:`ItemKNN`.
    """
    if n_neighbours < 1 or shrinkage < 0:
        raise RecsysError(
            "n_neighbours must be at least 1 and shrinkage not negative, "
            f"not {n_neighbours} and {shrinkage}."
        )
    by_column = likes.T.tocsr()
    length = np.sqrt(like_counts(likes))

    def similarity(rows: np.ndarray) -> np.ndarray:
        together = (by_column[rows] @ likes).toarray()  # (rows, n_columns)
        scale = length[rows, None] * length + np.float32(shrinkage)
        return np.divide(together, scale, out=np.zeros_like(together), where=scale > 0)

    return nearest_columns(similarity, likes.shape[1], n_neighbours)
