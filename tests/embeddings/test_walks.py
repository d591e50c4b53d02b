"""Walks: the distribution of steps against the closed form, golden walks, dead ends."""

import numpy as np
import pytest
from scipy import stats

from recsys_lib.embeddings import (
    ItemGraph,
    WalkConfig,
    random_walks,
    transition_probabilities,
    walk_blocks,
)
from recsys_lib.embeddings import walks as module
from recsys_lib.errors import RecsysError


def graph_of(*edges, nodes=()):
    sources, targets, weights = zip(*edges, strict=True)
    return ItemGraph.from_edges(sources, targets, weights, nodes=nodes)


def both_ways(*edges):
    return graph_of(*edges, *((b, a, w) for a, b, w in edges if a != b))


GRAPHS = {
    "triangle with a tail": both_ways((0, 1, 1), (1, 2, 1), (0, 2, 1), (2, 3, 1), (3, 4, 1)),
    "weights of very different size": both_ways(
        (0, 1, 1e-3), (0, 2, 1.0), (0, 3, 1e3), (1, 2, 1e3), (2, 3, 5.0), (1, 3, 20.0)
    ),
    "self-loops": both_ways((0, 0, 2), (0, 1, 1), (1, 2, 3), (2, 2, 1), (0, 2, 1)),
    "one-way streets and a sink": graph_of(
        (0, 1, 1), (1, 2, 2), (2, 0, 1), (1, 0, 1), (2, 3, 0.5), (0, 2, 1), (1, 4, 1), (4, 1, 3)
    ),
}
SETTINGS = [(1, 1), (0.5, 2), (2, 0.5), (4, 0.25), (0.05, 1), (0.25, 4), (1, 20), (20, 1)]


def by_definition(weights, near, node, previous, p, q):
    """Node2vec's equation 2 (Grover and Leskovec, 2016), edge by edge."""
    out = np.zeros(len(weights))
    for target in range(len(weights)):
        if target == previous:
            out[target] = weights[node, target] / p
        elif near[previous, target]:
            out[target] = weights[node, target]
        else:
            out[target] = weights[node, target] / q
    return out / out.sum()


def chi_square(seen, expected):
    """Return the p-value; cells of small expectation are judged together, as the test demands."""
    common = expected >= 5
    cells = [*zip(seen[common], expected[common], strict=True)]
    if expected[~common].sum() >= 1:
        cells.append((seen[~common].sum(), expected[~common].sum()))
    if len(cells) < 2:
        return 1.0
    observed, wanted = np.array(cells).T
    return stats.chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue


@pytest.mark.parametrize(("p", "q"), SETTINGS)
@pytest.mark.parametrize("name", GRAPHS)
def test_steps_follow_the_closed_form(name, p, q):
    graph = GRAPHS[name]
    config = WalkConfig(p, q, walk_length=20, walks_per_node=4_000)
    walks = random_walks(graph, config, seed=7)
    n = graph.n_nodes
    before, at, to = (
        part.ravel().astype(np.int64) for part in (walks[:, :-2], walks[:, 1:-1], walks[:, 2:])
    )
    taken = to >= 0
    counts = np.zeros((n, n, n))
    np.add.at(counts, (before[taken], at[taken], to[taken]), 1)
    weights = graph.matrix.toarray()
    p_values = []
    for previous, node in np.argwhere(counts.sum(axis=2) > 0):
        expected = by_definition(weights, weights > 0, node, previous, p, q)
        seen = counts[previous, node]
        assert seen[expected == 0].sum() == 0, "a step along no edge"
        np.testing.assert_allclose(
            transition_probabilities(graph, node, previous, config), expected
        )
        p_values.append(chi_square(seen, expected * seen.sum()))
    assert len(p_values) >= 4
    # The smallest of n p-values lies below 1e-4 / n once in ten thousand such tests.
    assert min(p_values) > 1e-4 / len(p_values)


def test_the_first_step_is_by_weight_alone():
    graph = GRAPHS["weights of very different size"]
    config = WalkConfig(0.25, 4, walk_length=2, walks_per_node=20_000)
    walks = random_walks(graph, config, seed=3)
    for node in range(graph.n_nodes):
        expected = transition_probabilities(graph, node, None, config)
        seen = np.bincount(walks[walks[:, 0] == node, 1], minlength=graph.n_nodes)
        keep = expected > 0
        assert seen[~keep].sum() == 0
        wanted = expected[keep] * seen.sum()
        assert chi_square(seen[keep], wanted) > 1e-4


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


@pytest.mark.parametrize(
    "wrong", [{"p": 0}, {"q": -1}, {"p": float("nan")}, {"walk_length": 0}, {"walks_per_node": 1.5}]
)
def test_a_wrong_setting_is_named(wrong):
    (name,) = wrong
    with pytest.raises(RecsysError, match=name):
        WalkConfig(**wrong)
