"""Recall by favourite genre: popular films of the genres a user likes."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.recall.base import Channel
from recsys_lib.recall.likes import like_counts, likes_of
from recsys_lib.schema import ITEM


class FavouriteGenre(Channel):
    """Score = share of the user's liking that lies in the item's genres, times its likes.

    A like is divided evenly among the genres of the item; a user's shares add up to 1. Users
    without a like, and items without a genre, get nothing.

    Parameters
    ----------
    items : DataFrame
        Columns ``item_id`` and ``genres`` (lists of str).

    Attributes
    ----------
    genres_ : list of str, sorted
    shares_ : float32 array, shape (n_users, n_genres)
    weights_ : float32 array, shape (n_items, n_genres)
        The item's number of likes where it has the genre, else 0.
    """

    def __init__(self, items: pd.DataFrame):
        self.items = items

    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        pairs = self.items[[ITEM, "genres"]].explode("genres").dropna().drop_duplicates()
        pairs = pairs[matrix.items_of(pairs[ITEM]) >= 0]
        codes, self.genres_ = pd.factorize(pairs["genres"], sort=True)
        has_genre = sparse.csr_matrix(
            (np.ones(len(pairs), np.float32), (matrix.items_of(pairs[ITEM]), codes)),
            shape=(matrix.n_items, len(self.genres_)),
        )
        likes = likes_of(matrix)
        n_genres = np.diff(has_genre.indptr)
        divided = sparse.diags_array(1 / np.maximum(n_genres, 1).astype(np.float32)) @ has_genre
        liked = (likes @ divided).toarray()  # (n_users, n_genres)
        total = liked.sum(axis=1, keepdims=True)
        self.shares_ = liked / np.where(total > 0, total, 1)
        self.weights_ = has_genre.toarray() * like_counts(likes)[:, None]

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        score = self.shares_[user_index] @ self.weights_.T  # (m, n_items)
        return np.where(score > 0, score, -np.inf)
