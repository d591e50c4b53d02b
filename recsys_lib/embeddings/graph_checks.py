"""What must hold for the arrays of an item graph."""

from collections.abc import Callable

import numpy as np

from recsys_lib.errors import DataError

# Any weight that occurs in practice, and products with degrees and biases stay finite.
WEIGHT_RANGE = (1e-100, 1e100)


def check_arrays(
    item_ids: np.ndarray, indptr: np.ndarray, indices: np.ndarray, weights: np.ndarray
) -> None:
    """Raise a :class:`DataError` unless the arrays are compressed sparse rows in order."""
    n_nodes, n_edges = len(item_ids), len(indices)
    if (np.diff(item_ids) <= 0).any():
        raise DataError("item_ids of a graph must be sorted and unique.")
    if (
        len(indptr) != n_nodes + 1
        or indptr[0] != 0
        or indptr[-1] != n_edges
        or (np.diff(indptr) < 0).any()
        or len(weights) != n_edges
    ):
        raise DataError(
            f"indptr does not describe {n_nodes} nodes, {n_edges} edges and {len(weights)} weights."
        )
    if n_edges and not 0 <= indices.min() <= indices.max() < n_nodes:
        raise DataError(f"An edge leads to no node: indices must lie in 0..{n_nodes - 1}.")
    # Where the next edge leads to no higher node, the next row must begin.
    turns = np.flatnonzero(np.diff(indices) <= 0) + 1
    if not np.isin(turns, indptr).all():
        raise DataError("The neighbours of a node must be in ascending order, without repeats.")


def check_weights(weights: np.ndarray, edge_of: Callable[[int], tuple]) -> None:
    """Raise a :class:`DataError` that names the first edge whose weight is out of range."""
    low, high = WEIGHT_RANGE
    wrong = np.flatnonzero(~((weights >= low) & (weights <= high)))  # NaN is neither
    if len(wrong):
        source, target = edge_of(wrong[0])
        raise DataError(
            f"Edge {source} -> {target} has weight {weights[wrong[0]]}: weights must be positive, "
            f"from {low:g} to {high:g}."
        )
