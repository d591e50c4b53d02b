"""What lists are like apart from their hits: coverage, novelty, diversity, popularity.

A recommender can collect hits with a few popular items. These figures show what that costs.
"""

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import index_of
from recsys_lib.errors import RecsysError
from recsys_lib.schema import ITEM, USER


def coverage(item_ids: np.ndarray, n_items: int) -> float:
    """Return the share of the catalogue that appears in anybody's list (padding ignored)."""
    return len(np.unique(item_ids[item_ids >= 0])) / n_items


def audience(interactions: pd.DataFrame) -> pd.Series:
    """Return the share of users who had each item, in (0, 1], by item id in sorted order."""
    pairs = interactions[[USER, ITEM]].drop_duplicates()
    return pairs.groupby(ITEM)[USER].count() / pairs[USER].nunique()


def novelty(item_ids: np.ndarray, share: pd.Series) -> np.ndarray:
    """Return the mean self-information of each list in bits: float64, (n,), NaN if it is empty.

    An item that a share p of users had carries ``-log2(p)`` bits: recommending what everybody
    knows is no news (Zhou et al.: Solving the apparent diversity-accuracy dilemma, 2010).

    Parameters
    ----------
    item_ids : int64 array, shape (n, k), padded with -1
    share : Series
        As :func:`audience` returns it.
    """
    return _mean_over_list(item_ids, -np.log2(share))


def popularity_bias(item_ids: np.ndarray, share: pd.Series) -> np.ndarray:
    """Return the mean share of users who had the items of a list: float64, (n,), NaN if empty.

    (Average recommendation popularity; Yin et al.: Challenging the long tail, 2012.)
    """
    return _mean_over_list(item_ids, share)


def _mean_over_list(item_ids: np.ndarray, value: pd.Series) -> np.ndarray:
    listed = item_ids >= 0
    row = index_of(value.index.to_numpy(), item_ids)
    if (row[listed] < 0).any():
        unknown = item_ids[listed & (row < 0)]
        raise RecsysError(f"Item {unknown[0]} is recommended but has no interaction on record.")
    total = np.where(listed, value.to_numpy()[np.maximum(row, 0)], 0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return total / listed.sum(axis=1)


def intra_list_diversity(
    item_ids: np.ndarray, known_ids: np.ndarray, vectors: np.ndarray
) -> np.ndarray:
    """Return the mean of 1 - cosine over the pairs of each list: float64, (n,).

    The result is NaN where fewer than two items of a list have a vector that is not zero. (Ziegler
    et al.: Improving recommendation lists through topic diversification, 2005.)

    Parameters
    ----------
    item_ids : int64 array, shape (n, k), padded with -1
    known_ids : int64 array, shape (n_items,), sorted
    vectors : float array, shape (n_items, dim)
        One for each known item, such as its genres as ones and zeros, or its embedding.
    """
    length = np.linalg.norm(vectors, axis=1)
    unit = vectors / np.where(length > 0, length, 1)[:, None]
    unit = np.vstack([unit, np.zeros((1, unit.shape[1]))])
    listed = unit[index_of(known_ids, item_ids)]  # (n, k, dim); -1 takes the row of zeros
    n_listed = listed.any(axis=2).sum(axis=1)
    # |sum of unit vectors|^2 is the sum of all cosines, including that of each with itself.
    cosines = np.square(listed.sum(axis=1)).sum(axis=1) - n_listed
    n_pairs = n_listed * (n_listed - 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n_pairs > 0, 1 - cosines / n_pairs, np.nan)
