"""Walks: the distribution of steps against the closed form, golden walks, dead ends."""

import numpy as np
import pytest
from walk_law import GRAPHS, assert_steps_follow_the_closed_form, chi_square, graph_of

from recsys_lib.embeddings import (
    ItemGraph,
    WalkConfig,
    random_walks,
    transition_probabilities,
    walk_blocks,
)
from recsys_lib.embeddings import walks as module
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.seeding import key_hash

SETTINGS = [(1, 1), (0.5, 2), (2, 0.5), (4, 0.25), (0.05, 1), (0.25, 4), (1, 20), (20, 1)]
EXTREME = [(1e-6, 1), (1e6, 1), (1, 1e6), (1, 1e-6), (1e9, 1e-9), (1e9, 1e9)]


@pytest.mark.parametrize(("p", "q"), SETTINGS + EXTREME)
@pytest.mark.parametrize("name", GRAPHS)
def test_steps_follow_the_closed_form(name, p, q):
    config = WalkConfig(p, q, walk_length=20, walks_per_node=4_000)
    walks = random_walks(GRAPHS[name], config, seed=7)
    assert_steps_follow_the_closed_form(GRAPHS[name], walks, config)


def test_the_first_step_is_by_weight_alone():
    graph = GRAPHS["weights of different size"]
    config = WalkConfig(0.25, 4, walk_length=2, walks_per_node=20_000)
    walks = random_walks(graph, config, seed=3)
    for node in range(graph.n_nodes):
        expected = transition_probabilities(graph, node, None, config)
        seen = np.bincount(walks[walks[:, 0] == node, 1], minlength=graph.n_nodes)
        keep = expected > 0
        assert seen[~keep].sum() == 0
        wanted = expected[keep] * seen.sum()
        assert chi_square(seen[keep], wanted) > 1e-4


@pytest.mark.parametrize("tries", [0, 1, 3])
def test_weighing_all_edges_gives_the_same_distribution(monkeypatch, tries):
    """The way out of endless rejection, taken after few tries, in plain Python."""
    loops = module._compiled()
    graph, (p, q) = GRAPHS["self-loops"], (0.5, 2.0)
    arrays = (graph.indptr, graph.indices, graph.weights)
    for name in ("_MAX_TRIES", "_unit", "_edge_to", "_bias", "_exact_step"):
        plain = tries if name == "_MAX_TRIES" else getattr(loops, name).py_func
        monkeypatch.setattr(loops, name, plain)
    n = 4_000
    starts, streams = np.zeros(n, np.int64), key_hash(np.arange(n))
    walks = np.full((n, 3), -1, np.int32)
    with np.errstate(over="ignore"):
        tables = loops.alias_tables(graph.indptr, graph.weights)
        loops.walk.py_func(*arrays, *tables, p, q, starts, streams, walks)
    for node in np.unique(walks[:, 1]):
        expected = transition_probabilities(graph, node, 0, WalkConfig(p, q))
        seen = np.bincount(walks[walks[:, 1] == node, 2], minlength=graph.n_nodes)
        assert chi_square(seen, expected * seen.sum()) > 1e-4


def test_walks_are_golden():
    """On a ring with one way to go nothing is random; on the triangle the stream is pinned."""
    ring = graph_of((0, 1, 1), (1, 2, 3), (2, 0, 0.1))
    walks = random_walks(ring, WalkConfig(0.5, 2, walk_length=5, walks_per_node=1), seed=0)
    assert sorted(walks.tolist()) == [[0, 1, 2, 0, 1], [1, 2, 0, 1, 2], [2, 0, 1, 2, 0]]
    config = WalkConfig(0.5, 2, walk_length=8, walks_per_node=1)
    walks = random_walks(GRAPHS["triangle with a tail"], config, seed=42)
    assert walks.tolist() == [
        [4, 3, 4, 3, 4, 3, 4, 3],
        [2, 0, 2, 0, 2, 0, 2, 3],
        [1, 2, 0, 1, 0, 2, 0, 2],
        [3, 2, 3, 2, 3, 2, 0, 2],
        [0, 1, 0, 1, 0, 1, 0, 2],
    ]


def test_a_sink_ends_the_walk_and_an_isolated_node_stays_alone():
    graph = graph_of((5, 7, 1), nodes=[9])
    walks = random_walks(graph, WalkConfig(walk_length=4, walks_per_node=2), seed=0)
    assert (
        sorted(walks.tolist())
        == [[0, 1, -1, -1]] * 2 + [[1, -1, -1, -1]] * 2 + [[2, -1, -1, -1]] * 2
    )


def test_every_node_starts_its_walks_in_shuffled_order():
    graph = ItemGraph.from_edges(np.arange(200), np.roll(np.arange(200), 1))
    walks = random_walks(graph, WalkConfig(walk_length=1, walks_per_node=3), seed=0)
    rounds = walks[:, 0].reshape(3, 200)
    assert (np.sort(rounds, axis=1) == np.arange(200)).all()
    assert (rounds[0] != np.arange(200)).mean() > 0.9
    assert (rounds[0] != rounds[1]).mean() > 0.9


def test_walks_depend_on_the_seed_alone(monkeypatch):
    rng = np.random.default_rng(0)
    graph = ItemGraph.from_edges(rng.integers(0, 50, 500), rng.integers(0, 50, 500))
    config = WalkConfig(0.5, 2, walk_length=10, walks_per_node=3)
    walks = random_walks(graph, config, seed=1)
    assert (random_walks(graph, config, seed=2) != walks).any()
    monkeypatch.setattr(module, "THREADS", 1)
    monkeypatch.setattr(module, "WALKS_AT_ONCE", 7)
    blocks = list(walk_blocks(graph, config, seed=1))
    assert max(len(block) for block in blocks) == 7
    np.testing.assert_array_equal(np.concatenate(blocks), walks)


def test_two_walks_of_a_node_differ():
    rng = np.random.default_rng(0)
    graph = ItemGraph.from_edges(rng.integers(0, 50, 2_000), rng.integers(0, 50, 2_000))
    walks = random_walks(graph, WalkConfig(walk_length=12, walks_per_node=20), seed=0)
    assert len(np.unique(walks, axis=0)) == 50 * 20


def test_a_graph_without_nodes_gives_no_walks():
    walks = random_walks(ItemGraph.from_edges([], []), WalkConfig(walk_length=3), seed=0)
    assert walks.shape == (0, 3)


@pytest.mark.parametrize(("node", "previous"), [(5, None), (-1, None), (0, 5), (0, -1)])
def test_an_unknown_node_is_named(node, previous):
    with pytest.raises(DataError, match=r"no node (5|-1): nodes are 0 to 4"):
        transition_probabilities(GRAPHS["triangle with a tail"], node, previous, WalkConfig())


@pytest.mark.parametrize(
    "wrong",
    [
        {"p": 0},
        {"q": -1},
        {"p": float("nan")},
        {"q": float("inf")},
        {"p": 1e-10},
        {"walk_length": 0},
        {"walks_per_node": 1.5},
    ],
)
def test_a_wrong_setting_is_named(wrong):
    (name,) = wrong
    with pytest.raises(RecsysError, match=name):
        WalkConfig(**wrong)
