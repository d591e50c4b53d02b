"""Communities and roles: modularity beside networkx, roles planted far apart, nearest by hand."""

import networkx as nx
import numpy as np
import pytest

from recsys_lib.course.communities_and_roles import (
    agreement_of_nearest,
    modularity,
    role_features,
    roles,
)
from recsys_lib.embeddings import EmbeddingTable, ItemGraph, item_graph
from recsys_lib.errors import DataError


def graph_of(drawn: nx.Graph) -> ItemGraph:
    sources, targets = np.array(drawn.edges).T
    weights = [weight for _, _, weight in drawn.edges(data="weight", default=1)]
    return ItemGraph.from_edges(sources, targets, weights).undirected()


@pytest.mark.parametrize("n_parts", [1, 2, 5])
def test_modularity_agrees_with_networkx(n_parts):
    rng = np.random.default_rng(n_parts)
    drawn = nx.gnp_random_graph(40, 0.2, seed=3)
    for edge in drawn.edges:
        drawn.edges[edge]["weight"] = float(rng.integers(1, 9))
    labels = rng.integers(0, n_parts, 40) * 10 - 1  # any numbers may name the parts
    parts = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    expected = nx.community.modularity(drawn, parts, weight="weight")
    assert modularity(graph_of(drawn), labels) == pytest.approx(expected, abs=1e-12)


def test_modularity_refuses_what_it_is_not_defined_for():
    one_way = item_graph([np.array([1, 2, 3])])
    with pytest.raises(DataError, match="undirected"):
        modularity(one_way, np.zeros(3, int))
    with pytest.raises(DataError, match="2 labels do not fit 3 nodes"):
        modularity(one_way.undirected(), np.zeros(2, int))
    with pytest.raises(DataError, match="with edges"):
        modularity(ItemGraph.from_edges([], [], nodes=[1]), np.zeros(1, int))


def test_role_features_by_hand():
    """A triangle 0-1-2 with a tail 2-3: degrees 2, 2, 3, 1; one triangle; 2 sees one edge leave."""
    drawn = nx.Graph([(0, 1), (1, 2), (0, 2), (2, 3)])
    own = np.array(
        [
            np.log1p([2, 2, 3, 1]),
            np.log1p([2, 2, 3, 1]),
            np.log1p([1, 1, 1, 0]),
            np.log1p([1, 1, 0, 2]),
            [1, 1, 1 / 3, 0],
        ]
    ).T
    near = nx.to_numpy_array(drawn, nodelist=range(4))
    features = np.column_stack([own, near @ own / near.sum(axis=1, keepdims=True)])
    expected = (features - features.mean(axis=0)) / features.std(axis=0)
    np.testing.assert_allclose(role_features(graph_of(drawn)), expected)


def test_planted_roles_are_found_however_far_apart():
    """Stars at the ends of a long path: their centres are one role, their leaves another."""
    drawn = nx.path_graph(12)
    planted = dict.fromkeys(drawn, "path")
    for end in (0, 11):
        planted[end] = "centre"
        for leaf in range(6):
            drawn.add_edge(end, 100 + 10 * end + leaf)
            planted[100 + 10 * end + leaf] = "leaf"
    graph = graph_of(drawn)
    found = roles(graph, 3, seed=0)
    names = np.array([planted[item] for item in graph.item_ids.tolist()])
    for name in ("centre", "leaf"):
        assert len(set(found[names == name])) == 1, name
    assert len(set(found[names == "centre"]) | set(found[names == "leaf"])) == 2


def test_agreement_of_nearest_by_hand():
    table = EmbeddingTable([1, 2, 3, 4], [[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    labels = np.array([7, 7, 7, 8])
    # Nearest of 1 is 2, of 2 is 1: alike; of 3 is 4 and of 4 is 3: not.
    assert agreement_of_nearest(table, labels[:, None] == labels, k=1) == 0.5
    # Two nearest: 1 -> 2, 4; 2 -> 1, 4; 3 -> 4, 2; 4 -> 3, 2.
    assert agreement_of_nearest(table, labels[:, None] == labels, k=2) == 3 / 8
