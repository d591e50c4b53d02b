"""What the channels learn from: who liked what."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.feedback import are_likes
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.data.splits import in_time_order
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, USER


def likes_of(
    matrix: InteractionMatrix, min_rating: float | None = LIKE_THRESHOLD
) -> sparse.csr_matrix:
    """Return the likes as ones: float32 CSR, (n_users, n_items), nothing else stored.

    A like is a rating of at least ``min_rating`` stars; with None every interaction is one. What
    somebody chose to watch tells of taste even where the rating is low, so which of the two
    serves better is a question for validation data.
    """
    likes = matrix.ratings.copy()
    liked = np.ones(likes.nnz, bool) if min_rating is None else likes.data >= min_rating
    likes.data = liked.astype(np.float32)
    likes.eliminate_zeros()
    return likes


def like_counts(likes: sparse.csr_matrix) -> np.ndarray:
    """Return how many users like each item: float32, (n_items,)."""
    return np.bincount(likes.indices, minlength=likes.shape[1]).astype(np.float32)


def likes_in_time(
    interactions: pd.DataFrame,
    min_rating: float | None = LIKE_THRESHOLD,
    *,
    repeats: bool = False,
) -> pd.DataFrame:
    """Return each user's likes in the order of time; ties are broken by a hash of the ids.

    Parameters
    ----------
    interactions : DataFrame
        Columns of :data:`recsys_lib.schema.INTERACTIONS`.
    min_rating : float, optional
        Stars from which an interaction is a like. With None every interaction is one.
    repeats : bool
        Whether an item that a user has several times is listed as often. Otherwise the last of
        these rows alone counts.

    Returns
    -------
    DataFrame
        The columns of ``interactions``, and ``age``, the number of likes of the same user that
        came later.
    """
    rows = interactions
    if not repeats:
        rows = rows.drop_duplicates([USER, ITEM], keep="last")
    likes = in_time_order(rows[are_likes(rows, min_rating)])
    user = likes[USER].to_numpy()  # sorted, so that a user's likes end where the next one's begin
    end = np.searchsorted(user, user, side="right")
    return likes.assign(age=end - np.arange(len(likes)) - 1)
