"""Similarities of rows, and the nearest ones of each: what the neighbourhood channels share."""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from recsys_lib.errors import RecsysError
from recsys_lib.recall.lists import top_k

ROWS_AT_ONCE = 1_024  # bounds the dense slice of a similarity matrix


def nearest_columns(
    rows_of: Callable[[np.ndarray], np.ndarray],
    itself: np.ndarray,
    n_columns: int,
    n_neighbours: int,
) -> sparse.csr_matrix:
    """Keep the largest positive values of each row of a matrix that is made in slices.

    Parameters
    ----------
    rows_of : function
        Given row numbers, returns these rows: float array, (len(rows), n_columns).
    itself : int array, shape (n_rows,)
        The column that stands for the row itself and is left out; -1 where there is none.
    n_columns : int
    n_neighbours : int
        Values kept a row, at most.

    Returns
    -------
    scipy CSR matrix of float32, shape (n_rows, n_columns)
    """
    shape = (len(itself), n_columns)
    width = min(n_neighbours, n_columns)
    columns, values = [np.empty((0, width), np.int64)], [np.empty((0, width), np.float32)]
    for start in range(0, len(itself), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(itself)))
        similarity = rows_of(rows)
        known = itself[rows] >= 0
        similarity[known, itself[rows[known]]] = -np.inf
        # A row with few neighbours would have all the zeros sorted as equals.
        similarity[similarity <= 0] = -np.inf
        column, value = top_k(similarity, np.arange(n_columns), width)
        columns.append(column)
        values.append(value)
    column, value = np.concatenate(columns), np.concatenate(values)  # (n_rows, width)
    row = np.broadcast_to(np.arange(shape[0])[:, None], column.shape)
    kept = value > 0
    return sparse.csr_matrix((value[kept], (row[kept], column[kept])), shape=shape)


def cosine_neighbours(
    rows: sparse.csr_matrix,
    others: sparse.csr_matrix,
    itself: np.ndarray,
    n_neighbours: int,
    shrinkage: float,
) -> sparse.csr_matrix:
    """Return the rows of ``others`` most similar to each of ``rows``.

    The similarity of sets a and b is the cosine with a shrinkage against chance,
    ``n_ab / (sqrt(n_a * n_b) + shrinkage)``: ``n_ab`` elements lie in both.

    Parameters
    ----------
    rows, others : scipy CSR matrices of ones, shapes (n_rows, n) and (n_others, n)
    itself : int array, shape (n_rows,)
        Where in ``others`` the row itself stands; -1 where it does not.
    n_neighbours : int
    shrinkage : float

    Returns
    -------
    scipy CSR matrix of float32, shape (n_rows, n_others)
    """
    check_neighbours(n_neighbours, shrinkage)
    by_element = others.T.tocsr()
    lengths = [np.sqrt(np.diff(part.indptr).astype(np.float32)) for part in (rows, others)]

    def similarity(some: np.ndarray) -> np.ndarray:
        together = (rows[some] @ by_element).toarray()  # (len(some), n_others)
        scale = lengths[0][some, None] * lengths[1] + np.float32(shrinkage)
        return np.divide(together, scale, out=np.zeros_like(together), where=scale > 0)

    return nearest_columns(similarity, itself, others.shape[0], n_neighbours)


def check_neighbours(n_neighbours: int, shrinkage: float) -> None:
    """Raise :class:`RecsysError` for settings that mean nothing."""
    if n_neighbours < 1 or shrinkage < 0:
        raise RecsysError(
            "n_neighbours must be at least 1 and shrinkage not negative, "
            f"not {n_neighbours} and {shrinkage}."
        )


def cosines(vectors: np.ndarray | sparse.csr_matrix, some: np.ndarray) -> np.ndarray:
    """Return the cosines of some rows to all rows: float, (len(some), n).

    A row of zeros has none (``-inf``), and neither have sparse rows with nothing in common.
    """
    if sparse.issparse(vectors):
        length = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
        product = (vectors[some] @ vectors.T).toarray()
        none = product == 0
    else:
        length = np.linalg.norm(vectors, axis=1)
        product = vectors[some] @ vectors.T
        none = (length[some, None] == 0) | (length == 0)
    scale = np.maximum(length[some, None] * length, np.finfo(np.float32).tiny)
    return np.where(none, -np.inf, product / scale)
