"""Pairs of items in one user's sequence, counted by how far apart they lie."""

import numpy as np
from scipy import sparse

PAIRS_AT_ONCE = 4_000_000  # bounds the memory that counting needs


def pairs_within(
    user: np.ndarray, item: np.ndarray, n_items: int, window: int, distance_power: float
) -> sparse.csr_matrix:
    """Return how often, and how closely, one item follows another.

    Parameters
    ----------
    user, item : int arrays, shape (n,)
        Likes sorted by user, then time; items as columns of the matrix.
    n_items : int
    window : int
        Places of a user's sequence that a pair may lie apart.
    distance_power : float
        A pair that lies ``d`` places apart counts ``d ** -distance_power``.

    Returns
    -------
    scipy CSR matrix of float32, shape (n_items, n_items)
        Row: the earlier item; column: the later one.
    """
    total = sparse.csr_matrix((n_items, n_items), dtype=np.float32)
    rows, columns, values, waiting = [], [], [], 0
    for distance in range(1, min(window, len(user) - 1) + 1):
        first = np.flatnonzero(user[distance:] == user[:-distance])
        if not len(first):  # no user has so many likes
            break
        rows.append(item[first])
        columns.append(item[first + distance])
        values.append(np.full(len(first), float(distance) ** -distance_power, np.float32))
        waiting += len(first)
        if waiting >= PAIRS_AT_ONCE:
            total = total + _summed(rows, columns, values, n_items)
            rows, columns, values, waiting = [], [], [], 0
    return total + _summed(rows, columns, values, n_items) if waiting else total


def _summed(rows, columns, values, n_items: int) -> sparse.csr_matrix:
    parts = (np.concatenate(part) for part in (values, rows, columns))
    value, row, column = parts
    return sparse.csr_matrix((value, (row, column)), shape=(n_items, n_items))
