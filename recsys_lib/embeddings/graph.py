"""The item graph: an edge from each liked item to the one liked next (S8 of the notes)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from recsys_lib import files
from recsys_lib.errors import DataError

# Room for any weight met in practice, and products with degrees and biases stay finite.
WEIGHT_RANGE = (1e-100, 1e100)

_DTYPES = {"item_ids": np.int64, "indptr": np.int64, "indices": np.int32, "weights": np.float64}


@dataclass(frozen=True)
class ItemGraph:
    """A directed, weighted graph in compressed sparse rows.

    The edges that leave node i are ``indices[indptr[i]:indptr[i + 1]]``, in ascending order and
    without repeats, with ``weights`` beside them. Nodes are numbered as in ``item_ids``.

    Attributes
    ----------
    item_ids : int64 array, shape (n_nodes,), sorted and unique
    indptr : int64 array, shape (n_nodes + 1,)
    indices : int32 array, shape (n_edges,)
    weights : float64 array, shape (n_edges,), from 1e-100 to 1e100

    Raises
    ------
    DataError
        The arrays do not describe such a graph.

    Notes
    -----
    Arrays of the right dtype are not copied, so that a graph may lie in a file (see :meth:`load`).
    """

    item_ids: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    weights: np.ndarray

    def __post_init__(self):
        for name, dtype in _DTYPES.items():
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=dtype))
        if (np.diff(self.item_ids) <= 0).any():
            raise DataError("item_ids of a graph must be sorted and unique.")
        if (
            len(self.indptr) != self.n_nodes + 1
            or self.indptr[0] != 0
            or self.indptr[-1] != self.n_edges
            or (np.diff(self.indptr) < 0).any()
            or len(self.weights) != self.n_edges
        ):
            raise DataError(
                f"indptr does not describe {self.n_nodes} nodes, {self.n_edges} edges and "
                f"{len(self.weights)} weights."
            )
        if self.n_edges and not 0 <= self.indices.min() <= self.indices.max() < self.n_nodes:
            raise DataError(f"An edge leads to no node: indices must lie in 0..{self.n_nodes - 1}.")
        # Where the next edge leads to no higher node, the next row must begin.
        turns = np.flatnonzero(np.diff(self.indices) <= 0) + 1
        if not np.isin(turns, self.indptr).all():
            raise DataError("The neighbours of a node must be in ascending order, without repeats.")
        _check_weights(
            self.weights,
            lambda edge: (
                self.item_ids[np.searchsorted(self.indptr, edge, side="right") - 1],
                self.item_ids[self.indices[edge]],
            ),
        )

    @classmethod
    def from_edges(cls, sources, targets, weights=None, nodes=()) -> "ItemGraph":
        """Build the graph from edges between raw item ids.

        Parameters
        ----------
        sources, targets : int arrays, shape (n,)
        weights : float array, shape (n,), optional
            1 for each edge when absent. Weights of a repeated edge are summed.
        nodes : int array, optional
            Further items, which may be without any edge.

        Raises
        ------
        DataError
            Lengths differ, an id is no whole number, or a weight is not in 1e-100 to 1e100.
        """
        sources, targets, nodes = _ids(sources), _ids(targets), _ids(nodes)
        weights = np.ones(len(sources)) if weights is None else np.asarray(weights, np.float64)
        if not len(sources) == len(targets) == len(weights):
            raise DataError(
                f"{len(sources)} sources, {len(targets)} targets and {len(weights)} weights do "
                "not make edges: the lengths must agree."
            )
        _check_weights(weights, lambda edge: (sources[edge], targets[edge]))  # before sums hide it
        item_ids = np.unique(np.concatenate([sources, targets, nodes]))
        n = len(item_ids)
        place = (np.searchsorted(item_ids, sources), np.searchsorted(item_ids, targets))
        matrix = sparse.csr_matrix((weights, place), shape=(n, n))  # sums what repeats
        matrix.sort_indices()
        return cls(item_ids, matrix.indptr, matrix.indices, matrix.data)

    @property
    def n_nodes(self) -> int:
        return len(self.item_ids)

    @property
    def n_edges(self) -> int:
        return len(self.indices)

    @property
    def out_degree(self) -> np.ndarray:
        """Number of edges that leave each node, int64 of shape (n_nodes,)."""
        return np.diff(self.indptr)

    @property
    def sources(self) -> np.ndarray:
        """Node that each edge leaves, int64 of shape (n_edges,)."""
        return np.repeat(np.arange(self.n_nodes), self.out_degree)

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """The weights as a scipy matrix, shape (n_nodes, n_nodes)."""
        shape = (self.n_nodes, self.n_nodes)
        return sparse.csr_matrix((self.weights, self.indices, self.indptr), shape=shape)

    def node_of(self, item_id: int) -> int:
        """Return the node of a raw item id.

        Raises
        ------
        DataError
            The item is not in the graph.
        """
        node = int(np.searchsorted(self.item_ids, item_id))
        if node == self.n_nodes or self.item_ids[node] != item_id:
            raise DataError(f"Item {item_id} is not among the {self.n_nodes} nodes of the graph.")
        return node

    def neighbours(self, item_id: int) -> tuple[np.ndarray, np.ndarray]:
        """Return raw ids and weights of the items that edges of ``item_id`` lead to."""
        node = self.node_of(item_id)
        row = slice(self.indptr[node], self.indptr[node + 1])
        return self.item_ids[self.indices[row]], self.weights[row]

    def statistics(self) -> dict[str, float]:
        """Return counts and shares that describe the graph.

        ``nodes``, ``edges``, ``self_loops``, ``sinks`` (nodes that edges reach but none leaves),
        ``isolated`` (nodes without any edge), ``transitions`` (sum of weights), ``density`` (edges
        as a share of all ordered pairs), ``reciprocity`` (share of edges whose reverse exists),
        ``weight_one`` (share of edges of weight 1), ``largest_component`` (share of nodes).
        """
        n, e = self.n_nodes, self.n_edges
        in_degree = np.bincount(self.indices, minlength=n)
        component = csgraph.connected_components(self.matrix, connection="weak")[1]
        pattern = (self.matrix > 0).astype(np.int64)
        return {
            "nodes": n,
            "edges": e,
            "transitions": float(self.weights.sum()),
            "self_loops": int((self.sources == self.indices).sum()),
            "sinks": int(((self.out_degree == 0) & (in_degree > 0)).sum()),
            "isolated": int(((self.out_degree == 0) & (in_degree == 0)).sum()),
            "density": e / n**2 if n else 0.0,
            "reciprocity": pattern.multiply(pattern.T).sum() / e if e else 0.0,
            "weight_one": float((self.weights == 1).mean()) if e else 0.0,
            "largest_component": np.bincount(component).max() / n if n else 0.0,
        }

    def undirected(self) -> "ItemGraph":
        """Return the graph in which each edge also runs backwards, both ways of equal weight.

        The weight between two nodes is the sum of both directions; a self-loop keeps its own.
        """
        both = self.matrix + self.matrix.T
        both.setdiag(self.matrix.diagonal())
        both.eliminate_zeros()
        both.sort_indices()
        return ItemGraph(self.item_ids, both.indptr, both.indices, both.data)

    def save(self, folder: Path) -> None:
        """Write one ``.npy`` file an array to a folder, atomically."""
        with files.atomic_folder(Path(folder)) as fresh:
            for name in _DTYPES:
                np.save(fresh / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> "ItemGraph":
        """Map a graph that :meth:`save` wrote into memory: checked whole, held by the disk.

        Raises
        ------
        DataError
            The folder holds no such graph.
        """
        folder = Path(folder)
        arrays = []
        for name, dtype in _DTYPES.items():
            try:
                array = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            except (OSError, EOFError, ValueError) as error:
                raise DataError(f"No item graph can be read from {folder}: {error}") from None
            if array.dtype != dtype or array.ndim != 1:
                raise DataError(
                    f"No item graph can be read from {folder}: {name} is {array.dtype} of shape "
                    f"{array.shape}, not a list of {np.dtype(dtype)}."
                )
            arrays.append(array)
        try:
            return cls(*arrays)
        except DataError as error:
            raise DataError(f"The item graph in {folder} is damaged. {error}") from None


def item_graph(sequences: Sequence[np.ndarray]) -> ItemGraph:
    """Build the graph of consecutive items: one edge a pair, its weight the number of times.

    Parameters
    ----------
    sequences : list of int arrays
        Raw item ids, as :func:`recsys_lib.embeddings.item2vec.liked_sequences` returns them. An
        item that only occurs alone becomes a node without edges; an empty sequence adds nothing.

    Raises
    ------
    DataError
        There is no sequence, or an id is no whole number.
    """
    if not len(sequences):
        raise DataError("An item graph needs at least one sequence of items.")
    sequences = [_ids(sequence) for sequence in sequences]
    items = np.concatenate(sequences)
    owner = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    follows = owner[1:] == owner[:-1]
    return ItemGraph.from_edges(items[:-1][follows], items[1:][follows], nodes=items)


def _ids(values) -> np.ndarray:
    """Return raw ids as int64; a float is not silently cut to a whole number."""
    values = np.asarray(values)
    if values.size and values.dtype.kind not in "iu":
        raise DataError(
            f"Item ids are whole numbers, not {values.dtype} (first: {values.flat[0]!r})."
        )
    return values.astype(np.int64)


def _check_weights(weights: np.ndarray, edge_of: Callable[[int], tuple[int, int]]) -> None:
    low, high = WEIGHT_RANGE
    wrong = np.flatnonzero(~((weights >= low) & (weights <= high)))  # NaN is neither
    if len(wrong):
        source, target = edge_of(wrong[0])
        raise DataError(
            f"Edge {source} -> {target} has weight {weights[wrong[0]]}: weights must be positive, "
            f"from {low:g} to {high:g}."
        )
