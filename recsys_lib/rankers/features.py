"""The features that rankers read: users one at a time, items as one table."""

from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import index_of
from recsys_lib.errors import DataError
from recsys_lib.rankers.base import UnknownUser, UserFeatures
from recsys_lib.schema import USER
from recsys_lib.stores import ItemFeatureTable

USERS, ITEMS = "users.parquet", "items.parquet"


class UserFeatureTable:
    """Features of users in memory, read as from a feature store.

    Parameters
    ----------
    users : DataFrame
        ``user_id`` and features, one row a user.
    """

    def __init__(self, users: pd.DataFrame):
        self.frame = users.sort_values(USER, ignore_index=True)
        self._ids = self.frame[USER].to_numpy(np.int64)
        if (np.diff(self._ids) == 0).any():
            raise DataError("A user has more than one row of features.")
        # Columns as lists: pandas takes a hundred times as long for the row of a frame.
        self._columns = {
            name: (column.tolist(), column.isna().tolist()) for name, column in self.frame.items()
        }

    def read(self, user_id: int) -> dict | None:
        """Return the features of a user, missing ones left out, or None for an unknown user."""
        row = index_of(self._ids, [user_id])[0]
        if row < 0:
            return None
        columns = self._columns.items()
        return {name: values[row] for name, (values, missing) in columns if not missing[row]}


def save_features(folder: Path, items: ItemFeatureTable, users: UserFeatures) -> dict:
    """Write items, and users where they lie in memory; say in which of two places users are."""
    items.frame.to_parquet(folder / ITEMS, index=False)
    inside = isinstance(users, UserFeatureTable)
    if inside:
        users.frame.to_parquet(folder / USERS, index=False)
    return {"users": "inside" if inside else "outside"}


def load_features(
    folder: Path, described: dict, users: UserFeatures | None
) -> tuple[ItemFeatureTable, UserFeatures]:
    """Read what :func:`save_features` wrote; ``users`` takes the place of what lies inside.

    Raises
    ------
    DataError
        The users' features lie outside, and nothing that reads them is given.
    """
    if users is None:
        if described["users"] != "inside":
            raise DataError(
                f"The users' features are not in {folder}: give what reads them, users=store."
            )
        users = UserFeatureTable(pd.read_parquet(folder / USERS))
    return ItemFeatureTable(pd.read_parquet(folder / ITEMS)), users


def features_of(users: UserFeatures, user_id: int) -> dict:
    """Return the features of a user.

    Raises
    ------
    UnknownUser
        There are none.
    """
    found = users.read(user_id)
    if found is None:
        raise UnknownUser("There are no features of", user_id)
    return found
