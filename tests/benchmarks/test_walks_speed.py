"""Timings and memory of random walks, each beside a named peer in the same run."""

import json
import random
import subprocess
import sys

import pytest

from recsys_lib.embeddings import WalkConfig, item_graph, liked_sequences, walk_blocks

CONFIG = WalkConfig(p=0.5, q=2.0, walk_length=40, walks_per_node=10)


@pytest.fixture(scope="module")
def graph(ml_100k):
    return item_graph(liked_sequences(ml_100k.interactions))


def our_walks(graph):
    return sum(int((block >= 0).sum()) for block in walk_blocks(graph, CONFIG, seed=1))


def dict_walks(graph):
    """First-order walks over dictionaries, one step a call: the shape of the reference system."""
    edges = {}
    for node in range(graph.n_nodes):
        row = slice(graph.indptr[node], graph.indptr[node + 1])
        edges[node] = (graph.indices[row].tolist(), graph.weights[row].tolist())
    draw = random.Random(1)
    steps = 0
    for _ in range(CONFIG.walks_per_node):
        for node in range(graph.n_nodes):
            walk = [node]
            while len(walk) < CONFIG.walk_length and edges[walk[-1]][0]:
                targets, weights = edges[walk[-1]]
                walk.append(draw.choices(targets, weights)[0])
            steps += len(walk)
    return steps


@pytest.fixture(scope="module")
def peer(graph):
    fastnode2vec = pytest.importorskip("fastnode2vec")
    edges = zip(graph.sources.tolist(), graph.indices.tolist(), graph.weights, strict=True)
    return fastnode2vec.Graph(list(edges), directed=True, weighted=True, verbose=False)


def peer_walks(peer):
    walk = (CONFIG.walk_length, CONFIG.p, CONFIG.q)
    return sum(
        len(peer.generate_random_walk(*walk, node))
        for _ in range(CONFIG.walks_per_node)
        for node in range(len(peer.node_names))
    )


@pytest.mark.benchmark(group="ten walks of 40 from each film (peers: fastnode2vec; a dictionary)")
@pytest.mark.parametrize("name", ["ours", "fastnode2vec, one thread", "dictionary, first order"])
def test_walks(benchmark, graph, peer, name):
    walk, over = {
        "ours": (our_walks, graph),
        "fastnode2vec, one thread": (peer_walks, peer),
        "dictionary, first order": (dict_walks, graph),
    }[name]
    steps = benchmark.pedantic(walk, (over,), rounds=5, warmup_rounds=1)  # the warm-up compiles
    benchmark.extra_info["steps_per_second"] = round(steps / benchmark.stats.stats.min)


LARGE = """
import json, resource, tempfile, time
import numpy as np
from recsys_lib.embeddings import ItemGraph, WalkConfig, random_walks, walk_blocks

n_nodes, n_edges = 1_000_000, 10_000_000
rng = np.random.default_rng(0)
targets = (n_nodes * rng.random(n_edges) ** 2).astype(np.int32)  # few are reached often
graph = ItemGraph.from_edges(
    rng.integers(0, n_nodes, n_edges, dtype=np.int32), targets, nodes=np.arange(n_nodes)
)
del targets
config = WalkConfig(p=0.5, q=2.0, walk_length=40, walks_per_node=10)
random_walks(ItemGraph.from_edges([0], [1]), config, 0)  # compiles
with tempfile.TemporaryDirectory() as folder:
    graph.save(folder + "/graph")
    graph = ItemGraph.load(folder + "/graph")
    began, steps = time.perf_counter(), 0
    for block in walk_blocks(graph, config, seed=0):
        steps += int((block >= 0).sum())
    seconds = time.perf_counter() - began
told = {"nodes": graph.n_nodes, "edges": graph.n_edges, "steps": steps}
told |= {"steps_per_second": round(steps / seconds)}
told |= {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
print(json.dumps(told))
"""


@pytest.mark.benchmark(group="all walks of 1 million nodes and 10 million edges, in one process")
def test_memory_of_many_walks(benchmark):
    """Peak memory includes drawing and building the graph; what is timed is all of it too."""
    run = {"capture_output": True, "check": True, "text": True}
    told = benchmark.pedantic(subprocess.run, [[sys.executable, "-c", LARGE]], run, rounds=1)
    benchmark.extra_info |= (seen := json.loads(told.stdout))
    assert seen["nodes"] == 1_000_000
    assert seen["edges"] > 9_900_000, "repeated edges are one"
    assert seen["steps"] > 300_000_000, "400 million but for sinks"
    assert seen["peak_mb"] < 4_096
