"""Small graphs with every oddity, and a test of walks over them by node2vec's closed form."""

import numpy as np
from scipy import stats

from recsys_lib.embeddings import ItemGraph, WalkConfig, transition_probabilities


def graph_of(*edges, nodes=()):
    sources, targets, weights = zip(*edges, strict=True)
    return ItemGraph.from_edges(sources, targets, weights, nodes=nodes)


def both_ways(*edges):
    return graph_of(*edges, *((b, a, w) for a, b, w in edges if a != b))


def of_matrix(weights):
    sources, targets = np.nonzero(weights)
    return ItemGraph.from_edges(sources, targets, np.array(weights)[sources, targets])


GRAPHS = {
    "triangle with a tail": both_ways((0, 1, 1), (1, 2, 1), (0, 2, 1), (2, 3, 1), (3, 4, 1)),
    "weights of different size": both_ways(
        (0, 1, 1e-3), (0, 2, 1.0), (0, 3, 1e3), (1, 2, 1e3), (2, 3, 5.0), (1, 3, 20.0)
    ),
    # Of one row with 24 orders of magnitude only the heaviest edges are met; other rows have all
    # their weights at one end, and their shares must not drown.
    "weights from 1e-12 to 1e12": of_matrix(
        [[0, 1e12, 3e12, 1e-12], [1e-12, 0, 3e-12, 2e-12], [1e-12, 1, 1e12, 1e12], [1, 2, 0, 0]]
    ),
    "self-loops": both_ways((0, 0, 2), (0, 1, 1), (1, 2, 3), (2, 2, 1), (0, 2, 1)),
    "one-way streets and a sink": graph_of(
        (0, 1, 1), (1, 2, 2), (2, 0, 1), (1, 0, 1), (2, 3, 0.5), (0, 2, 1), (1, 4, 1), (4, 1, 3)
    ),
}


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
    """Return the p-value; cells of small expectation are merged, as the test demands."""
    common = expected >= 5
    cells = [*zip(seen[common], expected[common], strict=True)]
    if expected[~common].sum() >= 1:
        cells.append((seen[~common].sum(), expected[~common].sum()))
    if len(cells) < 2:
        return 1.0
    observed, wanted = np.array(cells).T
    return stats.chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue


def assert_steps_follow_the_closed_form(graph: ItemGraph, walks: np.ndarray, config: WalkConfig):
    """Test all steps but the first of walks (n, walk_length), padded with -1, by chi-square."""
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
        expected = by_definition(weights, weights > 0, node, previous, config.p, config.q)
        seen = counts[previous, node]
        assert seen[expected == 0].sum() == 0, "a step along no edge"
        assert seen[expected < 1e-10].sum() == 0, "a step that is all but impossible"
        np.testing.assert_allclose(
            transition_probabilities(graph, node, previous, config), expected
        )
        p_values.append(chi_square(seen, expected * seen.sum()))
    assert len(p_values) >= 4
    # The smallest of n p-values lies below 1e-4 / n once in ten thousand such tests.
    assert min(p_values) > 1e-4 / len(p_values)
