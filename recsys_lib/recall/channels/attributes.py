"""Recall by what items are made of: popular films of the genres, or by the people, a user likes."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.likes import like_counts
from recsys_lib.recall.channels.neighbours import cosines
from recsys_lib.recall.channels.reads_items import ReadsItems
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import ITEM, LIKE_THRESHOLD


class FavouriteAttribute(ReadsItems):
    """Score = share of the user's liking that lies in the item's attributes, times its likes.

    A like is divided evenly among the attributes of the item; a user's shares add up to 1. Users
    without a like, and items without an attribute, get nothing. Items are alike by the cosine of
    their attributes.

    Parameters
    ----------
    items : DataFrame
        Columns ``item_id`` and ``item_column`` (lists of str).
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.

    Attributes
    ----------
    attributes_ : list of str, sorted
    parts_ : scipy CSR matrix of float32, shape (n_items, n_attributes)
        The parts that an item's like is divided into.
    weights_ : scipy CSR matrix of float32, shape (n_attributes, n_items)
        The item's number of likes where it has the attribute.
    users_ : scipy CSR matrix of float32, shape (n_users, n_attributes)
        The user's shares.
    """

    has_similar_items = True

    def __init__(self, items: pd.DataFrame, *, min_rating: float | None = LIKE_THRESHOLD):
        self.items = items
        self.min_rating = min_rating

    def _fit(self, seen: Histories) -> None:
        matrix = seen.matrix
        pairs = self._item_values().explode(self.item_column).dropna().drop_duplicates()
        pairs = pairs[matrix.items_of(pairs[ITEM]) >= 0]
        codes, attributes = pd.factorize(pairs[self.item_column], sort=True)
        self.attributes_ = list(attributes)
        has = sparse.csr_matrix(
            (np.ones(len(pairs), np.float32), (matrix.items_of(pairs[ITEM]), codes)),
            shape=(matrix.n_items, len(self.attributes_)),
        )
        likes = seen.likes(self.min_rating)
        self.parts_ = _divided(has)
        self.weights_ = (sparse.diags_array(like_counts(likes)) @ has).T.tocsr()

    def _represent(self, given: Histories) -> sparse.csr_matrix:
        return _divided(given.likes(self.min_rating) @ self.parts_)

    def _score(self, users: sparse.csr_matrix) -> np.ndarray:
        score = (users @ self.weights_).toarray()  # (m, n_items)
        return np.where(score > 0, score, -np.inf)

    def _similar(self, columns: np.ndarray) -> np.ndarray:
        return cosines(self.parts_, columns)


def _divided(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the rows of a non-negative matrix divided by their sums; empty rows stay empty."""
    total = np.asarray(rows.sum(axis=1)).ravel()
    return (sparse.diags_array(1 / np.where(total > 0, total, 1)) @ rows).astype(np.float32)


class FavouriteGenre(FavouriteAttribute):
    """Popular films of the genres a user likes (column ``genres``)."""

    name = "favourite_genre"
    item_column = "genres"


class FavouritePeople(FavouriteAttribute):
    """Popular films by the directors and with the actors a user likes (column ``people``).

    :func:`recsys_lib.data.knowledge_graph.with_people` adds the column from a knowledge graph.
    """

    name = "favourite_people"
    item_column = "people"
