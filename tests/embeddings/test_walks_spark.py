"""Walks on Spark follow the same closed form as the compiled ones; bad edges are named."""

import numpy as np
import pytest
from walk_law import GRAPHS, assert_steps_follow_the_closed_form

from recsys_lib.embeddings import ItemGraph, WalkConfig
from recsys_lib.embeddings.walks_spark import spark_walks
from recsys_lib.errors import DataError

pytestmark = pytest.mark.spark


def side_by_side(graphs) -> ItemGraph:
    """Put graphs beside each other, so that one job walks on all of them."""
    first = np.cumsum([0, *(graph.n_nodes for graph in graphs)])
    shifted = [
        (g.sources + at, g.indices + at, g.weights) for g, at in zip(graphs, first, strict=False)
    ]
    return ItemGraph.from_edges(*map(np.concatenate, zip(*shifted, strict=True)))


GRAPH = side_by_side([*GRAPHS.values()])


def edges_of(spark, graph):
    ids = graph.item_ids.tolist()
    rows = [
        (ids[a], ids[b], w)
        for a, b, w in zip(graph.sources, graph.indices, graph.weights.tolist(), strict=True)
    ]
    return spark.createDataFrame(rows, "source long, target long, weight double")


def as_matrix(walks, config):
    rows = walks.collect()
    matrix = np.full((len(rows), config.walk_length), -1)
    for place, row in enumerate(rows):
        assert row["walk"][0] == row["start"]
        matrix[place, : len(row["walk"])] = row["walk"]
    return matrix


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.5, 2.0), (4.0, 0.25)])
def test_steps_follow_the_closed_form(spark, p, q):
    config = WalkConfig(p, q, walk_length=4, walks_per_node=600)
    matrix = as_matrix(spark_walks(edges_of(spark, GRAPH), config, seed=3), config)
    assert len(matrix) == 600 * GRAPH.n_nodes
    assert_steps_follow_the_closed_form(GRAPH, matrix, config)


def test_a_sink_ends_the_walk_and_parallel_edges_are_one(spark):
    edges = spark.createDataFrame(
        [(5, 7, 1.0), (5, 7, 2.0), (5, 8, 3.0)], "source long, target long, weight double"
    )
    config = WalkConfig(walk_length=4, walks_per_node=500)
    walks = [tuple(row["walk"]) for row in spark_walks(edges, config, seed=0).collect()]
    assert {*walks} == {(5, 7), (5, 8), (7,), (8,)}
    assert walks.count((7,)) == walks.count((8,)) == 500
    assert 200 < walks.count((5, 7)) < 300  # 250 +- 4.5 standard deviations


def test_walks_do_not_depend_on_partitions(spark):
    config = WalkConfig(0.5, 2.0, walk_length=3, walks_per_node=4)
    edges = edges_of(spark, GRAPHS["self-loops"])
    one, other = (
        sorted(tuple(row["walk"]) for row in spark_walks(part, config, seed=1).collect())
        for part in (edges.coalesce(1), edges.repartition(3, "target"))
    )
    assert one == other
    assert one != sorted(tuple(r["walk"]) for r in spark_walks(edges, config, seed=2).collect())


@pytest.mark.parametrize("weight", [None, -1.0, 0.0, float("nan"), float("inf")])
def test_a_wrong_weight_is_named(spark, weight):
    edges = spark.createDataFrame(
        [(1, 2, 1.0), (2, 3, weight)], "source long, target long, weight double"
    )
    with pytest.raises(DataError, match=r"Edge 2 -> 3 has weight (None|-1\.0|0\.0|nan|inf)"):
        spark_walks(edges, WalkConfig())
