"""Stored results (S17): the top-N of every user, made offline, served as they lie.

A list is a row of a feature store, so lists are published, rolled back and aged like features. What
they cannot do is answer a context: either there is a list for each context, or none knows it.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from recsys_lib.data.matrix import NO_ITEM
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import DataError
from recsys_lib.schema import USER
from recsys_lib.stores.feature_store import FeatureStore, Version

ITEMS, SCORES, VECTOR = "item_ids", "scores", "vector"


def list_types(k: int) -> dict[str, str]:
    """Return the types of the columns of stored lists of ``k`` items, for a store's ``types``."""
    return {ITEMS: f"int32[{k}]", SCORES: f"float32[{k}]"}


def vector_types(embedding_dim: int) -> dict[str, str]:
    """Return the type of the column of stored vectors, for a store's ``types``."""
    return {VECTOR: f"float32[{embedding_dim}]"}


def lists_table(keys, item_ids: np.ndarray, scores: np.ndarray) -> pa.Table:
    """Return lists as a table to publish.

    Parameters
    ----------
    keys : int64 array, shape (n,)
        Users; or, with a list for each context, :func:`context_keys`.
    item_ids : int array, shape (n, k)
        Best first; -1 pads a row that is shorter.
    scores : float array, shape (n, k)

    Raises
    ------
    DataError
        An item id does not fit into 32 bits.
    """
    item_ids = np.asarray(item_ids)
    if item_ids.size and item_ids.max() >= 2**31:
        raise DataError(f"Item {item_ids.max()} does not fit into the 32 bits of a stored list.")
    return pa.table(
        {
            USER: np.asarray(keys, np.int64),
            ITEMS: _rows(item_ids.astype(np.int32)),
            SCORES: _rows(np.asarray(scores, np.float32)),
        }
    )


def vectors_table(table: EmbeddingTable, key: str = USER) -> pa.Table:
    """Return vectors as a table to publish, found by ``key``."""
    return pa.table({key: np.asarray(table.item_ids), VECTOR: _rows(np.asarray(table.vectors))})


def context_keys(users, context: int, n_contexts: int) -> np.ndarray:
    """Return one key for each user in a context: int64, (n,).

    There is a stored list for each, so storage grows with users x contexts.
    """
    if not 0 <= context < n_contexts:
        raise DataError(f"Context {context} is none of the {n_contexts}: 0 to {n_contexts - 1}.")
    return np.asarray(users, np.int64) * n_contexts + context


class StoredLists:
    """Lists in a feature store, published in bulk and served.

    Parameters
    ----------
    store : FeatureStore
        Made with ``types=list_types(k)``.
    """

    def __init__(self, store: FeatureStore):
        self.store = store

    def publish(self, keys, item_ids: np.ndarray, scores: np.ndarray, version: str) -> Version:
        """Publish lists as a whole version; parameters as for :func:`lists_table`."""
        return self.store.publish(lists_table(keys, item_ids, scores), version)

    def recommend(
        self, key: int, k: int = 10, exclude: Sequence[int] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the best ``k`` items of a stored list and their scores.

        Parameters
        ----------
        key : int
            A user, or one of :func:`context_keys`.
        k : int
        exclude : sequence of int
            Items left out: what a user has had since the list was made.

        Returns
        -------
        item_ids : int64 array, shape (at most k,)
            Empty for a key that has no list, or whose list is past its time.
        scores : float32 array of the same shape
        """
        row = self.store.read(key)
        if row is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        items, scores = row[ITEMS].astype(np.int64), row[SCORES]
        kept = (items != NO_ITEM) & ~np.isin(items, np.asarray(exclude, np.int64))
        return items[kept][:k], scores[kept][:k]


def _rows(matrix: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])
