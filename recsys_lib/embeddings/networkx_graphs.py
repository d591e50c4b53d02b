"""Item graphs from networkx, and back."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from recsys_lib.embeddings.graph import ItemGraph
from recsys_lib.embeddings.graph_checks import check_weights
from recsys_lib.errors import DataError

if TYPE_CHECKING:
    import networkx as nx


def from_networkx(graph: "nx.Graph", weight: str | None = "weight") -> ItemGraph:
    """Build an item graph; see :meth:`ItemGraph.from_networkx`."""
    labels = list(graph)
    whole_numbers = all(_is_whole_number(label) for label in labels)
    if whole_numbers:
        labels.sort()
    node = {label: number for number, label in enumerate(labels)}
    edges = list(graph.edges)
    weights = np.ones(len(edges)) if weight is None else _weights_of(graph, weight)
    sources = np.array([node[edge[0]] for edge in edges], dtype=np.int64)
    targets = np.array([node[edge[1]] for edge in edges], dtype=np.int64)
    if not graph.is_directed():
        loop = sources == targets
        ends = np.concatenate([sources, targets[~loop]]), np.concatenate([targets, sources[~loop]])
        weights, (sources, targets) = np.concatenate([weights, weights[~loop]]), ends
    matrix = sparse.csr_matrix((weights, (sources, targets)), shape=(len(labels), len(labels)))
    matrix.sort_indices()
    return ItemGraph(
        np.array(labels, dtype=np.int64) if whole_numbers else np.arange(len(labels)),
        matrix.indptr,
        matrix.indices,
        matrix.data,
        None if whole_numbers else as_labels(labels),
        directed=graph.is_directed(),
    )


def to_networkx(graph: ItemGraph) -> "nx.Graph":
    """Return a networkx graph; see :meth:`ItemGraph.to_networkx`."""
    import networkx as nx

    sources, targets, weights = graph.sources, graph.indices, graph.weights
    if not graph.directed:  # networkx takes each edge once
        once = sources <= targets
        sources, targets, weights = sources[once], targets[once], weights[once]
    built = nx.DiGraph() if graph.directed else nx.Graph()
    labels = graph.labels.tolist()
    built.add_nodes_from(labels)
    built.add_weighted_edges_from(
        (labels[source], labels[target], weight)
        for source, target, weight in zip(sources, targets, weights.tolist(), strict=True)
    )
    return built


def as_labels(values: Sequence[Hashable]) -> np.ndarray:
    """Return labels of any type as an array of objects, also if they are tuples."""
    labels = np.empty(len(values), dtype=object)
    for node, label in enumerate(values):
        labels[node] = label
    return labels


def _is_whole_number(label) -> bool:
    whole = isinstance(label, int | np.integer) and not isinstance(label, bool)
    return whole and -(2**63) <= label < 2**63


def _weights_of(graph: "nx.Graph", weight: str) -> np.ndarray:
    """Return the weights of all edges, in the order of ``graph.edges``: float64, (n_edges,)."""
    edges = list(graph.edges(data=weight, default=1))
    weights = np.empty(len(edges))
    for number, (source, target, value) in enumerate(edges):
        try:
            weights[number] = value
        except (TypeError, ValueError):
            raise DataError(
                f"Edge {source} -> {target} has weight {value!r}, which is no number."
            ) from None
    check_weights(weights, lambda edge: edges[edge][:2])
    return weights
