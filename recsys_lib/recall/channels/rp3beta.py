"""RP3beta: three steps at random between users and items, popularity held back (Paudel, 2017)."""

import numpy as np
from scipy import sparse

from recsys_lib.data.likes import like_counts
from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.item_model import ItemModel
from recsys_lib.recall.channels.neighbours import nearest_columns
from recsys_lib.schema import LIKE_THRESHOLD


class RP3beta(ItemModel):
    """Score = chance that a walk user, liked item, its fan, that fan's item ends at an item.

    The chance is divided by the item's number of likes to the power ``beta``: at 0 the walk ends
    mostly at popular items, at 1 it hardly finds them (Paudel, Christoffel, Newell and
    Bernstein: Updatable, accurate, diverse and scalable recommendations, 2017). The first step's
    chance, one by the user's likes, is the same for all items of a user and left out.

    Parameters
    ----------
    beta : float
        At least 0.
    n_neighbours : int
        Ends of the walk kept for each liked item.
    min_rating, half_life_likes
        See :class:`ItemModel`.
    """

    name = "rp3beta"

    def __init__(
        self,
        *,
        beta: float = 0.6,
        n_neighbours: int = 200,
        min_rating: float | None = LIKE_THRESHOLD,
        half_life_likes: float | None = None,
    ):
        super().__init__(min_rating=min_rating, half_life_likes=half_life_likes)
        self.beta = beta
        self.n_neighbours = n_neighbours

    def _weights(self, likes: sparse.csr_matrix) -> sparse.csr_matrix:
        if self.beta < 0 or self.n_neighbours < 1:
            raise RecsysError(
                "beta must not be negative and n_neighbours at least 1, "
                f"not {self.beta} and {self.n_neighbours}."
            )
        count = np.maximum(like_counts(likes), 1)
        of_user = np.maximum(np.diff(likes.indptr), 1).astype(np.float32)
        to_user = sparse.diags_array(1 / count) @ likes.T.tocsr()  # (n_items, n_users)
        to_item = sparse.diags_array(1 / of_user) @ likes  # (n_users, n_items)

        def ends(rows: np.ndarray) -> np.ndarray:
            return (to_user[rows] @ to_item).toarray() / count**self.beta

        n_items = likes.shape[1]
        return nearest_columns(ends, np.arange(n_items), n_items, self.n_neighbours)
