"""The item graph: by hand, saved and loaded, broken arrays refused."""

import re

import numpy as np
import pytest

from recsys_lib.embeddings import ItemGraph, item_graph
from recsys_lib.errors import DataError

SEQUENCES = [np.array(s) for s in ([10, 20, 30], [10, 20], [20, 10, 10], [40], [])]


def test_consecutive_items_by_hand():
    graph = item_graph(SEQUENCES)
    assert graph.item_ids.tolist() == [10, 20, 30, 40]
    edges = {
        (int(graph.item_ids[s]), int(graph.item_ids[t])): w
        for s, t, w in zip(graph.sources, graph.indices, graph.weights, strict=True)
    }
    # 40 -> 10 would join two users' lists.
    assert edges == {(10, 20): 2, (20, 30): 1, (20, 10): 1, (10, 10): 1}


def test_statistics_by_hand():
    assert item_graph(SEQUENCES).statistics() == {
        "nodes": 4,
        "edges": 4,
        "transitions": 5.0,
        "self_loops": 1,
        "sinks": 1,  # 30
        "isolated": 1,  # 40
        "density": 4 / 16,
        "reciprocity": 3 / 4,  # 10 <-> 20, and the loop is its own reverse
        "weight_one": 3 / 4,
        "largest_component": 3 / 4,
    }


def test_neighbours_of_an_item():
    ids, weights = item_graph(SEQUENCES).neighbours(20)
    assert ids.tolist() == [10, 30]
    assert weights.tolist() == [1, 1]
    assert len(item_graph(SEQUENCES).neighbours(40)[0]) == 0
    with pytest.raises(DataError, match="Item 50 is not among the 4 nodes"):
        item_graph(SEQUENCES).neighbours(50)


def test_it_agrees_with_networkx():
    networkx = pytest.importorskip("networkx")
    rng = np.random.default_rng(0)
    sequences = [rng.integers(0, 30, size=rng.integers(1, 20)) for _ in range(40)]
    expected = networkx.DiGraph()
    for sequence in sequences:
        expected.add_nodes_from(sequence.tolist())
        for a, b in zip(sequence[:-1].tolist(), sequence[1:].tolist(), strict=True):
            weight = expected.get_edge_data(a, b, {"weight": 0})["weight"]
            expected.add_edge(a, b, weight=weight + 1)
    graph = item_graph(sequences)
    matrix = networkx.to_numpy_array(expected, nodelist=graph.item_ids.tolist())
    np.testing.assert_array_equal(graph.matrix.toarray(), matrix)


def test_both_directions_by_hand():
    graph = item_graph(SEQUENCES).undirected()
    dense = graph.matrix.toarray()
    # 10 <-> 20 was met twice and once back, 20 -> 30 once, the loop of 10 once.
    assert dense.tolist() == [[1, 3, 0, 0], [3, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert graph.item_ids.tolist() == [10, 20, 30, 40]


def test_save_and_load_from_the_disk(tmp_path):
    for graph in (item_graph(SEQUENCES), ItemGraph.from_edges([], [])):
        graph.save(tmp_path / "graph")
        loaded = ItemGraph.load(tmp_path / "graph")
        for name in ("item_ids", "indptr", "indices", "weights"):
            array = getattr(loaded, name)
            np.testing.assert_array_equal(array, getattr(graph, name))
            assert array.dtype == getattr(graph, name).dtype
            assert not array.size or isinstance(array.base, np.memmap), "not held by the disk"


@pytest.mark.parametrize("name", ["item_ids", "indptr", "indices", "weights"])
@pytest.mark.parametrize("content", [None, b"", b"not an array", "half", "of text"])
def test_a_folder_that_is_no_graph_is_named(tmp_path, name, content):
    item_graph(SEQUENCES).save(tmp_path / "graph")
    path = tmp_path / "graph" / f"{name}.npy"
    if content == "half":
        path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 3])
    elif content == "of text":
        np.save(path, np.array(["a", "b"]))
    elif content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match="graph"):
        ItemGraph.load(tmp_path / "graph")


def test_a_damaged_graph_is_found_at_loading(tmp_path):
    item_graph(SEQUENCES).save(tmp_path / "graph")
    np.save(tmp_path / "graph" / "indices.npy", np.array([0, 1, 99, 2], np.int32))
    with pytest.raises(DataError, match=r"graph is damaged. An edge leads to no node"):
        ItemGraph.load(tmp_path / "graph")


GOOD = {"item_ids": [1, 2], "indptr": [0, 1, 2], "indices": [1, 0], "weights": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"item_ids": [2, 1]}, "sorted and unique"),
        ({"indptr": [0, 2]}, "indptr"),
        ({"indptr": [0, 2, 1]}, "indptr"),
        ({"weights": [1.0]}, "weights"),
        ({"indices": [1, 2]}, "leads to no node"),
        ({"indices": [-1, 0]}, "leads to no node"),
        ({"indptr": [0, 2, 2]}, "ascending"),
        ({"weights": [1.0, 0.0]}, "positive"),
        ({"weights": [1.0, np.nan]}, "positive"),
    ],
)
def test_broken_arrays_are_refused(change, message):
    ItemGraph(**GOOD)
    with pytest.raises(DataError, match=message):
        ItemGraph(**(GOOD | change))


@pytest.mark.parametrize("weight", [-1.0, 0.0, np.nan, np.inf, 1e-200, 1e200])
def test_a_wrong_weight_is_named_with_its_edge(weight):
    named = re.escape(f"Edge 1 -> 2 has weight {weight}: weights must be positive")
    with pytest.raises(DataError, match=named):
        ItemGraph.from_edges([2, 1], [1, 2], [1.0, weight])
    with pytest.raises(DataError, match=re.escape(f"Edge 2 -> 1 has weight {weight}")):
        ItemGraph(**(GOOD | {"weights": [1.0, weight]}))


def test_broken_edges_are_refused():
    with pytest.raises(DataError, match="lengths must agree"):
        ItemGraph.from_edges([1, 2], [1])
    with pytest.raises(DataError, match="whole numbers, not float64"):
        ItemGraph.from_edges([1.5], [2])
    with pytest.raises(DataError, match="at least one sequence"):
        item_graph([])
    with pytest.raises(DataError, match="whole numbers"):
        item_graph([np.array(["Alien", "Heat"])])


def test_people_without_two_films_give_no_edges():
    graph = item_graph([np.array([]), np.array([7]), np.array([], np.int64), np.array([7])])
    assert (graph.item_ids.tolist(), graph.n_edges) == ([7], 0)
    assert graph.statistics()["isolated"] == 1
    nothing = item_graph([np.array([])])
    assert (nothing.n_nodes, nothing.n_edges) == (0, 0)
    assert nothing.statistics()["largest_component"] == 0
