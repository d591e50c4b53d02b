"""The item graph: an edge from each liked item to the one liked next (S8 of the notes)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from recsys_lib import files
from recsys_lib.errors import DataError


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
    weights : float64 array, shape (n_edges,), positive and finite

    Raises
    ------
    DataError
        The arrays do not describe such a graph.
    """

    item_ids: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    weights: np.ndarray

    def __post_init__(self):
        for name, dtype in (
            ("item_ids", np.int64),
            ("indptr", np.int64),
            ("indices", np.int32),
            ("weights", np.float64),
        ):
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
        same_source = np.diff(self.sources) == 0
        if (np.diff(self.indices)[same_source] <= 0).any():
            raise DataError("The neighbours of a node must be in ascending order, without repeats.")
        if not (np.isfinite(self.weights) & (self.weights > 0)).all():
            raise DataError("Edge weights must be positive and finite.")

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
        """
        sources = np.asarray(sources, dtype=np.int64)
        targets = np.asarray(targets, dtype=np.int64)
        weights = np.ones(len(sources)) if weights is None else np.asarray(weights, np.float64)
        if not len(sources) == len(targets) == len(weights):
            raise DataError(
                f"{len(sources)} sources, {len(targets)} targets and {len(weights)} weights do "
                "not make edges: the lengths must agree."
            )
        if not (np.isfinite(weights) & (weights > 0)).all():
            raise DataError("Edge weights must be positive and finite.")
        item_ids = np.unique(np.concatenate([sources, targets, np.asarray(nodes, np.int64)]))
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

    def save(self, path: Path) -> None:
        """Write the graph to one uncompressed ``.npz`` file, atomically."""
        with files.atomic_path(Path(path)) as temporary, open(temporary, "wb") as stream:
            np.savez(
                stream,
                item_ids=self.item_ids,
                indptr=self.indptr,
                indices=self.indices,
                weights=self.weights,
            )

    @classmethod
    def load(cls, path: Path) -> "ItemGraph":
        """Read a graph that :meth:`save` wrote.

        Raises
        ------
        DataError
            The file holds no such graph.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                names = ("item_ids", "indptr", "indices", "weights")
                return cls(*(arrays[name] for name in names))
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise DataError(f"No item graph can be read from {path}: {error}") from None


def item_graph(sequences: Sequence[np.ndarray]) -> ItemGraph:
    """Build the graph of consecutive items: one edge a pair, its weight the number of times.

    Parameters
    ----------
    sequences : list of int arrays
        Raw item ids, as :func:`recsys_lib.embeddings.item2vec.liked_sequences` returns them. An
        item that only occurs alone becomes a node without edges.

    Raises
    ------
    DataError
        There is no sequence.
    """
    if not len(sequences):
        raise DataError("An item graph needs at least one sequence of items.")
    items = np.concatenate(sequences).astype(np.int64)
    owner = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    follows = owner[1:] == owner[:-1]
    return ItemGraph.from_edges(items[:-1][follows], items[1:][follows], nodes=items)
