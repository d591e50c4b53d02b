"""A user as a vector: the mean of what he or she liked lately (用户 Embedding)."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.likes import likes_in_time
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.schema import ITEM, USER


def user_embeddings(
    table: EmbeddingTable, interactions: pd.DataFrame, n_recent: int | None = None
) -> EmbeddingTable:
    """Return a vector for each user who likes an item that has one.

    Parameters
    ----------
    table : EmbeddingTable
        Vectors of items. Each is brought to length 1 first, so that every like counts the same.
    interactions : DataFrame
        Columns of :data:`recsys_lib.schema.INTERACTIONS`. What was not liked is left out.
    n_recent : int, optional
        Number of last likes to average, likes of items without a vector included. By default all
        likes count.

    Returns
    -------
    EmbeddingTable
        Keyed by user id. Users without any liked item that has a vector have no row. The mean of
        a single like is the vector of that item.
    """
    likes = latest_likes(likes_in_time(interactions), n_recent)
    likes = likes[table.contains(likes[ITEM])]
    user_ids, user = np.unique(likes[USER].to_numpy(np.int64), return_inverse=True)
    unit = table.normalized().vectors
    total = sum_of_liked(user, table.index_of(likes[ITEM]), len(user_ids), unit)
    return EmbeddingTable(user_ids, total / np.bincount(user)[:, None])


def latest_likes(likes: pd.DataFrame, n_recent: int | None = None) -> pd.DataFrame:
    """Return the last ``n_recent`` likes of each user in the order of time, or all of them.

    Parameters
    ----------
    likes : DataFrame
        As :func:`recsys_lib.data.likes.likes_in_time` returns.
    n_recent : int, optional

    Raises
    ------
    RecsysError
        ``n_recent`` is below 1.
    """
    if n_recent is not None and n_recent < 1:
        raise RecsysError(f"n_recent must be at least 1, not {n_recent}.")
    return likes if n_recent is None else likes[likes["age"] < n_recent]


def sum_of_liked(
    user: np.ndarray, item: np.ndarray, n_users: int, vectors: np.ndarray
) -> np.ndarray:
    """Add up the vectors of each user's liked items; the mean has the same direction.

    Parameters
    ----------
    user, item : int arrays, shape (n_likes,)
        Row of the user, and row of the item in ``vectors``, for each like.
    n_users : int
    vectors : float32 array, shape (n_items, dim)

    Returns
    -------
    float32 array, shape (n_users, dim)
        Zero for a user without likes.
    """
    ones = np.ones(len(user), np.float32)
    liked = sparse.csr_matrix((ones, (user, item)), shape=(n_users, len(vectors)))
    return liked @ vectors
