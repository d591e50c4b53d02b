"""Recall by what items are made of: popular films of the genres, or by the people, a user likes."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.likes import like_counts, likes_of
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import Channel
from recsys_lib.schema import ITEM, LIKE_THRESHOLD


class FavouriteAttribute(Channel):
    """Score = share of the user's liking that lies in the item's attributes, times its likes.

    A like is divided evenly among the attributes of the item; a user's shares add up to 1. Users
    without a like, and items without an attribute, get nothing.

    Parameters
    ----------
    items : DataFrame
        Columns ``item_id`` and the one named by ``column`` (lists of str).
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.

    Attributes
    ----------
    attributes_ : list of str, sorted
    shares_ : scipy CSR matrix of float32, shape (n_users, n_attributes)
    weights_ : scipy CSR matrix of float32, shape (n_attributes, n_items)
        The item's number of likes where it has the attribute.
    """

    column: str

    def __init__(self, items: pd.DataFrame, *, min_rating: float | None = LIKE_THRESHOLD):
        self.items = items
        self.min_rating = min_rating

    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        if self.column not in self.items:
            raise RecsysError(f"{type(self).__name__} needs items with a column {self.column!r}.")
        pairs = self.items[[ITEM, self.column]].explode(self.column).dropna().drop_duplicates()
        pairs = pairs[matrix.items_of(pairs[ITEM]) >= 0]
        codes, self.attributes_ = pd.factorize(pairs[self.column], sort=True)
        has = sparse.csr_matrix(
            (np.ones(len(pairs), np.float32), (matrix.items_of(pairs[ITEM]), codes)),
            shape=(matrix.n_items, len(self.attributes_)),
        )
        likes = likes_of(matrix, self.min_rating)
        liked = likes @ _divided(has)  # (n_users, n_attributes)
        self.shares_ = _divided(liked)
        self.weights_ = (sparse.diags_array(like_counts(likes)) @ has).T.tocsr()

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        score = (self.shares_[user_index] @ self.weights_).toarray()  # (m, n_items)
        return np.where(score > 0, score, -np.inf)


def _divided(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the rows of a non-negative matrix divided by their sums; empty rows stay empty."""
    total = np.asarray(rows.sum(axis=1)).ravel()
    return (sparse.diags_array(1 / np.where(total > 0, total, 1)) @ rows).astype(np.float32)


class FavouriteGenre(FavouriteAttribute):
    """Popular films of the genres a user likes (column ``genres``)."""

    column = "genres"


class FavouritePeople(FavouriteAttribute):
    """Popular films by the directors and with the actors a user likes (column ``people``).

    :func:`recsys_lib.data.knowledge_graph.with_people` adds the column from a knowledge graph.
    """

    column = "people"
