"""Interactions as a sparse matrix, with the ids of its rows and columns."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.feedback import stars_of
from recsys_lib.schema import ITEM, USER

NO_ITEM = -1  # pads a row of recommendations that is shorter than k


def index_of(ids: np.ndarray, wanted) -> np.ndarray:
    """Return the position of each wanted id in the sorted array ``ids``; -1 where it is absent."""
    wanted = np.asarray(wanted, dtype=np.int64)
    if len(ids) == 0:
        return np.full(wanted.shape, -1, dtype=np.int64)
    span = int(ids[-1]) - int(ids[0]) + 1
    if span <= 4 * min(len(ids), wanted.size):  # a table of all numbers in between is small
        positions = np.full(span, -1, dtype=np.int64)
        positions[ids - ids[0]] = np.arange(len(ids))
        place = wanted - ids[0]
        inside = (place >= 0) & (place < span)
        return np.where(inside, positions[np.where(inside, place, 0)], -1)
    position = np.searchsorted(ids, wanted).clip(max=len(ids) - 1)
    return np.where(ids[position] == wanted, position, -1)


@dataclass(frozen=True)
class InteractionMatrix:
    """Ratings of ``n_users`` x ``n_items``; a pair rated twice keeps its latest rating.

    Attributes
    ----------
    user_ids, item_ids : int64 arrays, sorted and unique
    ratings : scipy CSR matrix of float32, shape (n_users, n_items)
    """

    user_ids: np.ndarray
    item_ids: np.ndarray
    ratings: sparse.csr_matrix

    @classmethod
    def from_frame(
        cls,
        interactions: pd.DataFrame,
        user_ids: np.ndarray | None = None,
        item_ids: np.ndarray | None = None,
    ) -> "InteractionMatrix":
        """Build the matrix from interactions; where a pair repeats, the row further down wins.

        Parameters
        ----------
        interactions : DataFrame
        user_ids, item_ids : int64 arrays, sorted and unique, optional
            The rows and columns; they must hold all ids of the interactions. By default those
            ids themselves.
        """
        latest = interactions.drop_duplicates([USER, ITEM], keep="last")
        user_ids, user_index = _indexed(latest[USER].to_numpy(np.int64), user_ids)
        item_ids, item_index = _indexed(latest[ITEM].to_numpy(np.int64), item_ids)
        ratings = sparse.csr_matrix(
            (stars_of(latest), (user_index, item_index)),
            shape=(len(user_ids), len(item_ids)),
        )
        return cls(user_ids, item_ids, ratings)

    def equals(self, other: "InteractionMatrix") -> bool:
        """Say whether the other matrix holds the same ratings of the same items by the same users.

        The order in which the rows came does not matter.
        """
        return self is other or (
            np.array_equal(self.user_ids, other.user_ids)
            and np.array_equal(self.item_ids, other.item_ids)
            and (self.ratings != other.ratings).nnz == 0
        )

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    def users_of(self, user_ids) -> np.ndarray:
        """Return row numbers of raw user ids; -1 for a user without interactions."""
        return index_of(self.user_ids, user_ids)

    def items_of(self, item_ids) -> np.ndarray:
        """Return column numbers of raw item ids; -1 for an item without interactions."""
        return index_of(self.item_ids, item_ids)


def _indexed(ids: np.ndarray, known: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted ids and the place of each of ``ids`` among them."""
    if known is None:
        return np.unique(ids, return_inverse=True)
    return known, index_of(known, ids)
