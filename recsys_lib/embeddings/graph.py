"""The item graph: an edge from each liked item to the one liked next (S8 of the notes)."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from recsys_lib.embeddings.graph_checks import check_arrays, check_weights
from recsys_lib.errors import DataError

if TYPE_CHECKING:
    import networkx as nx

DTYPES = {"item_ids": np.int64, "indptr": np.int64, "indices": np.int32, "weights": np.float64}


@dataclass(frozen=True)
class ItemGraph:
    """A weighted graph in compressed sparse rows.

    The edges that leave node i lead to ``indices[indptr[i]:indptr[i + 1]]``, in ascending order
    and without repeats, and have the ``weights`` at the same places. Nodes are numbered as in
    ``item_ids``.

    Attributes
    ----------
    item_ids : int64 array, shape (n_nodes,), sorted and unique
    indptr : int64 array, shape (n_nodes + 1,)
    indices : int32 array, shape (n_edges,)
    weights : float64 array, shape (n_edges,), from 1e-100 to 1e100
    labels : array, shape (n_nodes,)
        What the nodes are called: the item ids, unless the graph came from networkx with labels
        of another type. ``graph.labels[nodes]`` names some nodes.
    directed : bool
        False for a graph in which each edge also runs backwards, with the same weight.

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
    labels: np.ndarray | None = None
    directed: bool = True

    def __post_init__(self):
        for name, dtype in DTYPES.items():
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=dtype))
        if self.labels is None:
            object.__setattr__(self, "labels", self.item_ids)
        elif len(set(self.labels)) != self.n_nodes:
            raise DataError(f"{len(set(self.labels))} labels do not fit {self.n_nodes} nodes.")
        check_arrays(self.item_ids, self.indptr, self.indices, self.weights)
        check_weights(
            self.weights,
            lambda edge: (self.labels[self.sources[edge]], self.labels[self.indices[edge]]),
        )
        if not self.directed and (self.matrix != self.matrix.T).nnz:
            raise DataError("In an undirected graph each edge runs both ways with equal weight.")

    @classmethod
    def from_edges(cls, sources, targets, weights=None, nodes=()) -> "ItemGraph":
        """Build the graph from edges between raw item ids.

        Parameters
        ----------
        sources, targets : int arrays, shape (n,)
        weights : float array, shape (n,), optional
            By default 1 for each edge. Weights of a repeated edge are summed.
        nodes : int array, optional
            Further items, which need not have any edge.

        Raises
        ------
        DataError
            Lengths differ, an id is no whole number, or a weight is outside 1e-100 to 1e100.
        """
        sources, targets, nodes = _ids(sources), _ids(targets), _ids(nodes)
        weights = np.ones(len(sources)) if weights is None else np.asarray(weights, np.float64)
        if not len(sources) == len(targets) == len(weights):
            raise DataError(
                f"{len(sources)} sources, {len(targets)} targets and {len(weights)} weights do "
                "not make edges: the lengths must agree."
            )
        check_weights(weights, lambda edge: (sources[edge], targets[edge]))  # before sums hide it
        item_ids = np.unique(np.concatenate([sources, targets, nodes]))
        n = len(item_ids)
        place = (np.searchsorted(item_ids, sources), np.searchsorted(item_ids, targets))
        matrix = sparse.csr_matrix((weights, place), shape=(n, n))  # sums what repeats
        matrix.sort_indices()
        return cls(item_ids, matrix.indptr, matrix.indices, matrix.data)

    @classmethod
    def from_networkx(cls, graph: "nx.Graph", weight: str | None = "weight") -> "ItemGraph":
        """Build the graph from one of networkx, directed or not.

        Parameters
        ----------
        graph : networkx graph
            Nodes may be of any hashable type; whole numbers become ``item_ids``, others are kept
            in ``labels``. Nodes without edges are kept, too. Of parallel edges the weights are
            summed. Other attributes of nodes and edges are left behind.
        weight : str, optional
            Edge attribute with the weight. An edge without it, and each edge if this is None, has
            the weight 1.

        Raises
        ------
        DataError
            A weight is no number from 1e-100 to 1e100.
        """
        from recsys_lib.embeddings.networkx_graphs import from_networkx

        return from_networkx(graph, weight)

    def to_networkx(self) -> "nx.Graph":
        """Return the graph with its labels as ``networkx.DiGraph``, or ``Graph`` if undirected.

        Edges have the attribute ``weight``, a float.
        """
        from recsys_lib.embeddings.networkx_graphs import to_networkx

        return to_networkx(self)

    @property
    def has_own_labels(self) -> bool:
        """Whether the nodes have labels other than their item ids."""
        return self.labels is not self.item_ids

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

    @cached_property
    def _nodes(self) -> dict[Hashable, int]:
        return {label: node for node, label in enumerate(self.labels.tolist())}

    def node_of(self, label: Hashable) -> int:
        """Return the number of the node with this label, which mostly is a raw item id.

        Raises
        ------
        DataError
            There is no such node.
        """
        if self.has_own_labels:
            node = self._nodes.get(label, self.n_nodes)
        else:
            node = int(np.searchsorted(self.item_ids, label))
        if node == self.n_nodes or self.labels[node] != label:
            raise DataError(f"Item {label} is not among the {self.n_nodes} nodes of the graph.")
        return node

    def neighbours(self, label: Hashable) -> tuple[np.ndarray, np.ndarray]:
        """Return labels and weights of the nodes that the edges of one node lead to."""
        node = self.node_of(label)
        row = slice(self.indptr[node], self.indptr[node + 1])
        return self.labels[self.indices[row]], self.weights[row]

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
        """Return the graph in which each edge also runs backwards, with the same weight.

        The weight between two nodes is the sum of both directions. A self-loop keeps its own. A
        graph that is undirected already is returned as it is.
        """
        if not self.directed:
            return self
        both = self.matrix + self.matrix.T
        both.setdiag(self.matrix.diagonal())
        both.eliminate_zeros()
        both.sort_indices()
        labels = self.labels if self.has_own_labels else None
        return ItemGraph(
            self.item_ids, both.indptr, both.indices, both.data, labels, directed=False
        )

    def save(self, folder: Path) -> None:
        """Write the graph to a folder, atomically.

        Raises
        ------
        DataError
            The labels are neither text nor whole numbers, so they cannot be written.
        """
        from recsys_lib.embeddings.graph_files import save

        save(self, folder)

    @staticmethod
    def load(folder: Path) -> "ItemGraph":
        """Map a graph that :meth:`save` wrote into memory. All of it is checked; it stays on disk.

        Raises
        ------
        DataError
            The folder holds no such graph, or a damaged one.
        """
        from recsys_lib.embeddings.graph_files import load

        return load(folder)


def item_graph(sequences: Sequence[np.ndarray]) -> ItemGraph:
    """Build the graph of consecutive items: an edge for each pair, its weight the pair's count.

    Parameters
    ----------
    sequences : list of int arrays
        Raw item ids, as :func:`recsys_lib.embeddings.liked_sequences` returns them. An item that
        only occurs alone becomes a node without edges. An empty sequence adds nothing.

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
