"""Item features as a table in the server's memory, for scoring hundreds of items at once (S16)."""

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import index_of
from recsys_lib.errors import DataError
from recsys_lib.schema import ITEM


class ItemFeatureTable:
    """Item features in the server's memory: a table, addressed by raw item id.

    Parameters
    ----------
    items : DataFrame
        ``item_id`` and item features, one row an item.

    Attributes
    ----------
    frame : DataFrame
        Sorted by item id.
    item_ids : int64 array, shape (n,)
    """

    def __init__(self, items: pd.DataFrame):
        self.frame = items.sort_values(ITEM, ignore_index=True)
        self.item_ids = self.frame[ITEM].to_numpy(np.int64)
        if (np.diff(self.item_ids) == 0).any():
            raise DataError("An item has more than one row of features.")

    def rows_of(self, item_ids) -> np.ndarray:
        """Return the row of each item.

        Raises
        ------
        DataError
            An item is not in the table.
        """
        rows = index_of(self.item_ids, item_ids)
        if (rows < 0).any():
            unknown = np.asarray(item_ids)[rows < 0]
            raise DataError(f"{len(unknown)} items have no features, item {unknown[0]} first.")
        return rows

    def with_rows(self, items: pd.DataFrame) -> "ItemFeatureTable":
        """Return a table with more items; a row of an item that is there already replaces it.

        Parameters
        ----------
        items : DataFrame
            ``item_id`` and any of the features; the others are missing.
        """
        fresh = items.reindex(columns=self.frame.columns)
        for name, dtype in self.frame.dtypes.items():
            if fresh[name].isna().all():
                # A column of missing values has no type of its own; whole numbers have no missing.
                whole = pd.api.types.is_integer_dtype(dtype) and not hasattr(dtype, "na_value")
                fresh[name] = fresh[name].astype("float64" if whole else dtype)
        old = self.frame[~self.frame[ITEM].isin(fresh[ITEM])]
        return ItemFeatureTable(pd.concat([old, fresh], ignore_index=True))
