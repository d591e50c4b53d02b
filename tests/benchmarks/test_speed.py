"""Timings, run by ``make bench``; each stands beside a named peer in the same run."""

import random
import subprocess
import sys

import pytest

from recsys_lib.embeddings.graph import item_graph
from recsys_lib.embeddings.item2vec import liked_sequences
from recsys_lib.embeddings.walks import WalkConfig, random_walks


@pytest.mark.benchmark(group="start of a process (peer: the bare interpreter)")
@pytest.mark.parametrize(
    "command",
    [["-c", "pass"], ["-c", "import recsys_lib"], ["-m", "recsys_lib", "--help"]],
    ids=["python", "import recsys_lib", "recsys --help"],
)
def test_start(benchmark, command):
    run = {"capture_output": True, "check": True}
    benchmark.pedantic(subprocess.run, [[sys.executable, *command]], run, rounds=5)


@pytest.fixture(scope="module")
def graph(ml_100k):
    return item_graph(liked_sequences(ml_100k.interactions))


def dict_walks(graph, config, seed):
    """First-order walks over dictionaries, one step a call: the shape of the reference system."""
    edges = {}
    for node in range(graph.n_nodes):
        row = slice(graph.indptr[node], graph.indptr[node + 1])
        edges[node] = (graph.indices[row].tolist(), graph.weights[row].tolist())
    draw = random.Random(seed)
    for _ in range(config.walks_per_node):
        for node in range(graph.n_nodes):
            walk = [node]
            while len(walk) < config.walk_length and edges[walk[-1]][0]:
                targets, weights = edges[walk[-1]]
                walk.append(draw.choices(targets, weights)[0])


@pytest.mark.benchmark(group="one walk of 40 from each film (peer: a first-order dictionary walk)")
@pytest.mark.parametrize("name", ["dictionary, first order", "ours, p 0.5, q 2"])
def test_walks(benchmark, graph, name):
    config = WalkConfig(p=0.5, q=2.0, walk_length=40, walks_per_node=1)
    walk = dict_walks if name.startswith("dictionary") else random_walks
    random_walks(graph, config, 0)  # compiles
    benchmark.pedantic(walk, (graph, config, 1), rounds=5)
