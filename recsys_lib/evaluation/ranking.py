"""How good a list of recommendations is, user by user."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.data.feedback import are_likes
from recsys_lib.data.matrix import index_of
from recsys_lib.errors import RecsysError
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, USER


@dataclass(frozen=True)
class Relevant:
    """The items that each evaluated user came to like.

    Attributes
    ----------
    user_ids : int64 array, shape (n,), sorted and unique
    offsets : int64 array, shape (n + 1,)
        ``item_ids[offsets[i]:offsets[i + 1]]`` belong to ``user_ids[i]``.
    item_ids : int64 array
        In sorted order within a user.
    """

    user_ids: np.ndarray
    offsets: np.ndarray
    item_ids: np.ndarray

    def of(self, user_ids) -> "Relevant":
        """Return the same for some of the users, in sorted order."""
        keep = np.isin(self.user_ids, np.asarray(user_ids))
        size = np.diff(self.offsets)
        offsets = np.concatenate([[0], np.cumsum(size[keep])])
        return Relevant(self.user_ids[keep], offsets, self.item_ids[np.repeat(keep, size)])


def relevant_items(
    interactions: pd.DataFrame, min_rating: float | None = LIKE_THRESHOLD
) -> Relevant:
    """Return each user's items with a rating of at least ``min_rating``; None takes them all."""
    rows = interactions[are_likes(interactions, min_rating)]
    liked = rows[[USER, ITEM]].drop_duplicates().sort_values([USER, ITEM])
    user_ids, sizes = np.unique(liked[USER].to_numpy(np.int64), return_counts=True)
    return Relevant(user_ids, np.concatenate([[0], np.cumsum(sizes)]), liked[ITEM].to_numpy())


def hits_of(item_ids: np.ndarray, relevant: Relevant) -> np.ndarray:
    """Return for each recommended item whether its user likes it: bool, (n, k).

    Rows of ``item_ids`` are in the order of ``relevant.user_ids``. Padding is no hit.
    """
    n_users = len(relevant.user_ids)
    owner = np.repeat(np.arange(n_users), np.diff(relevant.offsets))
    catalogue, liked = np.unique(relevant.item_ids, return_inverse=True)
    recommended = index_of(catalogue, item_ids)
    # A pair as one number: user * catalogue size + item.
    pairs = owner * len(catalogue) + liked
    asked = np.arange(n_users)[:, None] * len(catalogue) + recommended
    return (recommended >= 0) & np.isin(asked, pairs)


def ranking_metrics(item_ids: np.ndarray, relevant: Relevant, ks=(10, 100)) -> dict:
    """Return the metrics of ranked lists that are made from the whole catalogue.

    Parameters
    ----------
    item_ids : int64 array, shape (n_users, >= max(ks))
        Best first and without repeats, padded with -1; rows in the order of
        ``relevant.user_ids``.
    relevant : Relevant
    ks : ints
        Lengths to which the lists are cut.

    Returns
    -------
    dict of float64 arrays, shape (n_users,)
        For each k, over the first k places:

        ``recall_at_k``     hits / liked items
        ``precision_at_k``  hits / k
        ``ndcg_at_k``       binary gains, ideal list cut to k (Järvelin and Kekäläinen, 2002)
        ``map_at_k``        sum of the precision at each hit / min(liked items, k)
        ``mrr_at_k``        1 / place of the first hit, 0 without one
        ``hit_rate_at_k``   1 if there is a hit
    """
    item_ids = np.asarray(item_ids)
    if item_ids.shape[0] != len(relevant.user_ids) or item_ids.shape[1] < max(ks):
        raise RecsysError(
            f"Recommendations of shape {item_ids.shape} do not fit {len(relevant.user_ids)} users "
            f"and k up to {max(ks)}."
        )
    hit = hits_of(item_ids, relevant)
    n_liked = np.diff(relevant.offsets)
    place = np.arange(1, item_ids.shape[1] + 1)
    discount = 1 / np.log2(place + 1)
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    precision_at_hits = hit * np.cumsum(hit, axis=1) / place
    metrics = {}
    for k in ks:
        hits_at_k = hit[:, :k].sum(axis=1)
        metrics[f"recall_at_{k}"] = hits_at_k / n_liked
        metrics[f"precision_at_{k}"] = hits_at_k / k
        metrics[f"ndcg_at_{k}"] = hit[:, :k] @ discount[:k] / ideal[np.minimum(n_liked, k)]
        metrics[f"map_at_{k}"] = precision_at_hits[:, :k].sum(axis=1) / np.minimum(n_liked, k)
        metrics[f"mrr_at_{k}"] = (hit[:, :k] / place[:k]).max(axis=1)
        metrics[f"hit_rate_at_{k}"] = (hits_at_k > 0).astype(np.float64)
    return metrics
