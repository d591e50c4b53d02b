"""Item graphs from networkx and back: every kind of graph, with its own labels."""

import uuid
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from recsys_lib.embeddings import ItemGraph, WalkConfig, random_walks
from recsys_lib.errors import DataError


def weighted(graph: nx.Graph) -> nx.Graph:
    """Give every edge a weight, and the graph a node without edges."""
    rng = np.random.default_rng(0)
    for _, _, data in graph.edges(data=True):
        data["weight"] = float(rng.integers(1, 9))
    graph.add_node(100)
    return graph


def relabelled(graph: nx.Graph, label) -> nx.Graph:
    return nx.relabel_nodes(graph, {node: label(node) for node in graph})


WHOLE = weighted(nx.gnp_random_graph(12, 0.4, seed=3))
DIRECTED = weighted(nx.gnp_random_graph(12, 0.3, seed=4, directed=True))
LOOPS = nx.DiGraph([(1, 1, {"weight": 2.0}), (1, 2, {"weight": 3.0})])
GRAPHS = {
    "whole numbers": WHOLE,
    "directed": DIRECTED,
    "far from 0": relabelled(DIRECTED, lambda node: node * 10**15 - 7),
    "text": relabelled(WHOLE, str),
    "tuples": relabelled(DIRECTED, lambda node: (node, node + 1)),
    "mixed": relabelled(WHOLE, lambda node: node if node % 2 else f"node {node}"),
    "uuid": relabelled(DIRECTED, lambda node: uuid.UUID(int=node)),
    "beyond 64 bits": relabelled(WHOLE, lambda node: node + 2**70),
    "booleans": nx.Graph([(True, False, {"weight": 4.0})]),
    "floats": nx.DiGraph([(0.5, 1.0, {"weight": 4.0})]),
    "a loop": LOOPS,
    "an undirected loop": LOOPS.to_undirected(),
    "nothing": nx.Graph(),
    "no edge": nx.empty_graph(3, create_using=nx.DiGraph),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_there_and_back_it_is_the_same_graph(name):
    graph = GRAPHS[name]
    again = ItemGraph.from_networkx(graph).to_networkx()
    assert type(again) is type(graph)
    assert {type(node) for node in again} == {type(node) for node in graph}
    assert nx.utils.graphs_equal(again, graph)


@pytest.mark.parametrize("name", GRAPHS)
def test_the_matrix_is_that_of_networkx(name):
    graph = GRAPHS[name]
    ours = ItemGraph.from_networkx(graph)
    if len(graph):
        expected = nx.to_numpy_array(graph, nodelist=ours.labels.tolist())
        assert_array_equal(ours.matrix.toarray(), expected)
    assert ours.n_nodes == len(graph)
    assert ours.directed == graph.is_directed()


def test_parallel_edges_are_added_up_and_a_missing_weight_is_one():
    many = nx.MultiDiGraph([("a", "b", {"weight": 2.5}), ("a", "b"), ("b", "c", {"cost": 7})])
    assert ItemGraph.from_networkx(many).neighbours("a")[1].tolist() == [3.5]
    assert ItemGraph.from_networkx(many, weight="cost").neighbours("b")[1].tolist() == [7]
    assert ItemGraph.from_networkx(many, weight=None).neighbours("a")[1].tolist() == [2]
    both = ItemGraph.from_networkx(nx.MultiGraph([("a", "b"), ("b", "a"), ("a", "a")]))
    assert both.matrix.toarray().tolist() == [[1, 2], [2, 0]]
    # Sums that depend on their order in the last digit are the same both ways.
    thirds = nx.MultiGraph([("a", "b", {"weight": w}) for w in (0.1, 0.7, 0.2, 0.3)])
    thirds.add_edge("b", "a", weight=1e-17)
    assert ItemGraph.from_networkx(thirds).undirected().n_edges == 2


@pytest.mark.parametrize("weight", [-1.0, 0, float("nan"), float("inf"), None, "heavy"])
def test_a_wrong_weight_is_named_with_the_labels_of_its_edge(weight):
    graph = nx.Graph([("Valjean", "Javert", {"weight": weight})])
    with pytest.raises(DataError, match="Edge Valjean -> Javert has weight"):
        ItemGraph.from_networkx(graph)


def test_a_walk_steps_along_edges_and_is_named_by_labels():
    novel = nx.les_miserables_graph()
    graph = ItemGraph.from_networkx(novel)
    walks = graph.labels[random_walks(graph, WalkConfig(q=0.5, walk_length=9), seed=1)]
    assert set(walks[:, 0]) == set(novel)
    steps = {(a, b) for walk in walks for a, b in pairwise(walk)}
    assert all(novel.has_edge(*step) for step in steps)
    names, weights = graph.neighbours("Valjean")
    assert dict(zip(names, weights, strict=True)) == {
        other: data["weight"] for other, data in novel["Valjean"].items()
    }
    with pytest.raises(DataError, match="Item Gavroch is not among the 77 nodes"):
        graph.neighbours("Gavroch")


@pytest.mark.parametrize("name", ["text", "mixed", "whole numbers", "directed"])
def test_labels_and_direction_are_saved(name, tmp_path):
    graph = ItemGraph.from_networkx(GRAPHS[name])
    graph.save(tmp_path / "graph")
    loaded = ItemGraph.load(tmp_path / "graph")
    assert nx.utils.graphs_equal(loaded.to_networkx(), GRAPHS[name])
    assert loaded.directed == graph.directed


def test_labels_that_no_file_can_hold_are_refused(tmp_path):
    graph = ItemGraph.from_networkx(GRAPHS["tuples"])
    with pytest.raises(DataError, match=r"label \(0, 1\) cannot be written"):
        graph.save(tmp_path / "graph")
    assert not (tmp_path / "graph").exists()


def test_both_directions_keep_the_labels():
    graph = ItemGraph.from_networkx(GRAPHS["tuples"]).undirected()
    expected = nx.Graph()
    expected.add_nodes_from(GRAPHS["tuples"])
    for a, b, weight in GRAPHS["tuples"].edges(data="weight"):
        before = expected.get_edge_data(a, b, {"weight": 0.0})["weight"]
        expected.add_edge(a, b, weight=before + weight)
    assert nx.utils.graphs_equal(graph.to_networkx(), expected)
    assert graph.undirected() is graph


def test_labels_and_directions_that_do_not_fit_are_refused():
    arrays = ([1, 2], [0, 1, 1], [1], [1.0])
    with pytest.raises(DataError, match="1 labels do not fit 2 nodes"):
        ItemGraph(*arrays, labels=np.array(["a", "a"]))
    with pytest.raises(DataError, match="runs both ways"):
        ItemGraph(*arrays, directed=False)
