"""How hard it is to tell the nearest vectors of a set from the others."""

import numpy as np

from recsys_lib.errors import RecsysError


def relative_contrast(near: np.ndarray, others: np.ndarray) -> float:
    """Return the mean distance of all items over the mean distance of the nearest (He, 2012).

    At 1 nothing is nearer than anything else, and no index can help. (J. He, S. Kumar, S.-F.
    Chang: On the difficulty of nearest neighbor search, ICML 2012; theirs is the first neighbour,
    ``k = 1``.)

    Parameters
    ----------
    near : float array, shape (m, k), ascending
        Distances of each query's nearest items; the last column counts.
    others : float array, any shape
        Distances of queries from items taken at random.

    Raises
    ------
    RecsysError
        The mean distance of the neighbours is 0, so that there is no ratio.
    """
    nearest = float(np.mean(np.asarray(near, np.float64)[:, -1]))
    if not nearest > 0:
        raise RecsysError("The neighbours lie at distance 0: leave out copies of the queries.")
    return float(np.mean(np.asarray(others, np.float64))) / nearest


def local_intrinsic_dimension(near: np.ndarray) -> float:
    """Return in how many dimensions the neighbours spread: the median over queries.

    It is the maximum-likelihood estimate (E. Levina, P. Bickel, NIPS 2004; L. Amsaleg et al., KDD
    2015): the inverse of the mean of ``log(r_k / r_i)`` over a query's ``k`` nearest. Uniform
    points in d dimensions give about d, whatever the number of coordinates they are written in.

    Parameters
    ----------
    near : float array, shape (m, k), ascending
        Euclidean distances of each query's ``k`` nearest items, ``k`` of at least 10.

    Raises
    ------
    RecsysError
        ``k`` is under 10, or each query has a copy of itself among its neighbours.
    """
    near = np.asarray(near, np.float64)
    if near.ndim != 2 or near.shape[1] < 10:
        raise RecsysError(f"near must have shape (m, 10 or more), not {near.shape}.")
    near = near[near[:, 0] > 0]
    if not len(near):
        raise RecsysError("Each query has a neighbour at distance 0: leave out its copies.")
    logarithms = np.log(near[:, -1:] / near[:, :-1]).mean(axis=1)
    return float(np.median(1 / np.maximum(logarithms, np.finfo(np.float64).tiny)))
