"""Random walks over a graph: DeepWalk's first order and node2vec's second order.

DeepWalk (Perozzi, Al-Rfou and Skiena, 2014) leaves a node along an edge drawn by weight. node2vec
(Grover and Leskovec, 2016) remembers the node it came from: with t the node before, v the current
one and x a neighbour of v, the edge (v, x) counts with

* weight / p if x is t (the walk returns),
* weight if t has an edge to x (the walk stays near),
* weight / q otherwise (the walk moves away).

In a directed graph the second case asks for the edge from t to x, as the paper's distance from t
does. The authors' own program tests the edge from x to t. In an undirected graph there is no
difference.

The authors' program also stores a table for each pair of neighbouring nodes. Here a candidate is
drawn by weight in constant time (alias method: Walker, 1977; Vose, 1991), and is accepted or drawn
again (rejection sampling for node2vec: Yang et al., KnightKing, 2019). Where p or q make nearly all
candidates fail, the step is drawn from its whole distribution instead. The memory needed is that of
the graph, a second time.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from recsys_lib.embeddings.graph import ItemGraph
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.seeding import generator, key_hash

END = -1  # fills a walk that ended early
WALKS_AT_ONCE = 16_384  # bounds memory; the walks do not depend on it
THREADS = 2  # the walks do not depend on it either
BIAS_RANGE = (1e-9, 1e9)  # of p and q, so that their products with weights stay finite


@dataclass(frozen=True)
class WalkConfig:
    """How to walk.

    Attributes
    ----------
    p : float
        Return parameter. Above 1, the walk seldom steps straight back.
    q : float
        In-out parameter. Above 1, the walk stays near where it came from (breadth first); below
        1, it moves away (depth first). With p = q = 1 the walk is that of DeepWalk.
    walk_length : int
        Number of nodes in a walk, the first one included. A walk that meets a node without
        outgoing edges ends there.
    walks_per_node : int
        Number of walks that start at each node.
    """

    p: float = 1.0
    q: float = 1.0
    walk_length: int = 40
    walks_per_node: int = 10

    def __post_init__(self):
        for name in ("p", "q"):
            if not BIAS_RANGE[0] <= getattr(self, name) <= BIAS_RANGE[1]:
                raise RecsysError(
                    f"{name} must be positive, from {BIAS_RANGE[0]:g} to {BIAS_RANGE[1]:g}, "
                    f"not {getattr(self, name)}."
                )
        for name in ("walk_length", "walks_per_node"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise RecsysError(f"{name} must be a whole number of at least 1, not {value!r}.")


def random_walks(graph: ItemGraph, config: WalkConfig, seed: int) -> np.ndarray:
    """Return all walks as node numbers, int32 of shape (n_nodes * walks_per_node, walk_length).

    Rows are padded with -1 after the end of a walk. A node without edges gives walks of length 1.
    Use :func:`walk_blocks` for graphs whose walks do not fit in memory.
    """
    empty = np.empty((0, config.walk_length), np.int32)
    return np.concatenate([empty, *walk_blocks(graph, config, seed)])


def walk_blocks(graph: ItemGraph, config: WalkConfig, seed: int) -> Iterator[np.ndarray]:
    """Yield the walks of :func:`random_walks` in blocks, int32 of shape (m, walk_length).

    Each round starts once at every node, in a shuffled order, so that training on the stream
    sees no order of ids. A walk has a random stream of its own, made from the seed, the node and
    the round; the walks therefore depend neither on threads nor on the size of a block.
    """
    compiled = _compiled()
    threshold, alias, totals = compiled.alias_tables(graph.indptr, graph.weights)
    with ThreadPoolExecutor(THREADS) as threads:
        for starts, streams in _starts(graph.n_nodes, config.walks_per_node, seed):
            block = np.full((len(starts), config.walk_length), END, dtype=np.int32)
            jobs = [
                threads.submit(
                    compiled.walk,
                    *(graph.indptr, graph.indices, graph.weights),
                    *(threshold, alias, totals),
                    # as floats, or whole numbers would be compiled for once more
                    *(float(config.p), float(config.q)),
                    *(starts[part], streams[part], block[part]),
                )
                for part in _slices(len(starts))
            ]
            for job in jobs:
                job.result()
            yield block


def _starts(n_nodes: int, rounds: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield start nodes and random streams of at most ``WALKS_AT_ONCE`` walks at a time.

    A block of a small graph holds several rounds; a round of a large graph has several blocks.
    """
    rounds_at_once = max(1, WALKS_AT_ONCE // max(1, n_nodes))
    for first in range(0, rounds, rounds_at_once):
        numbers = range(first, min(first + rounds_at_once, rounds))
        orders = [generator(seed, "walks", number).permutation(n_nodes) for number in numbers]
        starts = np.concatenate(orders)
        streams = key_hash(starts, np.repeat(numbers, n_nodes), seed=seed)
        for begin in range(0, len(starts), WALKS_AT_ONCE):
            part = slice(begin, begin + WALKS_AT_ONCE)
            yield starts[part], streams[part]


def _slices(n: int) -> list[slice]:
    """Divide n walks among the threads."""
    edges = np.linspace(0, n, THREADS + 1).astype(int)
    return [slice(a, b) for a, b in pairwise(edges)]


def transition_probabilities(
    graph: ItemGraph, node: int, previous: int | None, config: WalkConfig
) -> np.ndarray:
    """Return the probability of each step from ``node``, float64 of shape (n_nodes,).

    This is the closed form of the distribution that the walks sample from. It is made for reading
    and testing, not for walking.

    Parameters
    ----------
    graph : ItemGraph
    node : int
        Where the walk is.
    previous : int or None
        Where it came from. None at the first step.
    config : WalkConfig

    Raises
    ------
    DataError
        A node is not in the graph.
    """
    for asked in (node, 0 if previous is None else previous):
        if not 0 <= asked < graph.n_nodes:
            raise DataError(f"There is no node {asked}: nodes are 0 to {graph.n_nodes - 1}.")
    weight = graph.matrix[[node]].toarray()[0]
    if previous is not None:
        near = graph.matrix[[previous]].toarray()[0] > 0
        bias = np.where(near, 1.0, 1 / config.q)
        bias[previous] = 1 / config.p
        weight = weight * bias
    return weight / weight.sum() if weight.any() else weight


@cache
def _compiled():
    """Compile the loops at their first use, because that takes numba seconds."""
    from recsys_lib.embeddings import _walk_loops

    return _walk_loops
