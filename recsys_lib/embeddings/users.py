"""A user as a vector: the mean of what he or she liked lately (用户 Embedding)."""

import numpy as np
import pandas as pd

from recsys_lib.data.splits import in_time_order
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, USER


def user_embeddings(
    table: EmbeddingTable, interactions: pd.DataFrame, n_recent: int | None = None
) -> EmbeddingTable:
    """Return a vector for each user with a liked item that has one.

    Parameters
    ----------
    table : EmbeddingTable
        Vectors of items. Each is brought to length 1 first, so that each like counts the same.
    interactions : DataFrame
        Columns of :data:`recsys_lib.schema.INTERACTIONS`; what was not liked stays out.
    n_recent : int, optional
        Number of last likes averaged, likes without a vector included; by default all.

    Returns
    -------
    EmbeddingTable
        Keyed by user id; users without a liked item that has a vector have no row. The mean of one
        like is that item's vector.
    """
    if n_recent is not None and n_recent < 1:
        raise RecsysError(f"n_recent must be at least 1, not {n_recent}.")
    likes = in_time_order(interactions[interactions[RATING] >= LIKE_THRESHOLD])
    likes = likes.drop_duplicates([USER, ITEM], keep="last")
    if n_recent is not None:
        likes = likes.groupby(USER).tail(n_recent)
    likes = likes[table.contains(likes[ITEM])]
    user_ids, starts = np.unique(likes[USER].to_numpy(np.int64), return_index=True)
    liked = table.normalized().vectors_of(likes[ITEM])
    if not len(likes):
        return EmbeddingTable(user_ids, liked)
    total = np.add.reduceat(liked, starts)
    return EmbeddingTable(user_ids, total / np.diff(starts, append=len(likes))[:, None])
