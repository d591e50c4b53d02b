"""A vector for an item that nobody knows yet: the mean over its most similar items (S23)."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.schema import ITEM


def mean_of_similar(
    table: EmbeddingTable, side: pd.DataFrame, item_ids, k: int = 10
) -> EmbeddingTable:
    """Return ``table`` with new vectors for ``item_ids``, taken from items with similar content.

    Similarity is the cosine of the items' side information. Each value is weighted by its rarity,
    the logarithm of the number of items over the number of those that have it, because a shared
    director says more than a shared genre.

    Parameters
    ----------
    table : EmbeddingTable
    side : DataFrame
        As :func:`recsys_lib.embeddings.side_information` returns.
    item_ids : array of int64
        Items to replace or to add. They are not used as similar items themselves.
    k : int
        Number of similar items to average. Each vector is brought to length 1 and weighted by
        the item's similarity.

    Returns
    -------
    EmbeddingTable
        Items that share nothing with any other item keep what they had.
    """
    if k < 1:
        raise RecsysError(f"k must be at least 1, not {k}.")
    if side.empty:  # nothing is known, so no item is like another
        return table
    known, row = np.unique(side[ITEM].to_numpy(np.int64), return_inverse=True)
    column = side.groupby(["field", "value"]).ngroup().to_numpy()
    weight = np.log(len(known) / np.bincount(column))[column]
    content = sparse.csr_matrix((weight, (row, column)))
    length = np.sqrt(content.multiply(content).sum(axis=1))
    content = content.multiply(1 / np.maximum(length, 1e-12)).tocsr()
    wanted = np.intersect1d(item_ids, known)
    donors = np.setdiff1d(np.intersect1d(table.item_ids, known), wanted)
    similarity = content[np.searchsorted(known, wanted)] @ content[np.searchsorted(known, donors)].T
    similarity = similarity.toarray()  # (n_wanted, n_donors)
    if k < len(donors):
        kth = -np.partition(-similarity, k - 1, axis=1)[:, k - 1 : k]
        similarity[similarity < kth] = 0
    found = similarity.any(axis=1)
    unit = table.normalized().vectors_of(donors)
    fresh = (similarity @ unit)[found] / similarity.sum(axis=1)[found, None]
    old = ~np.isin(table.item_ids, wanted[found])
    return EmbeddingTable(
        np.concatenate([table.item_ids[old], wanted[found]]),
        np.concatenate([table.vectors[old], fresh]),
    )
