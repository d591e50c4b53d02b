"""Graph embeddings: planted communities are found; isolated nodes get no vector."""

import dataclasses
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.splits import both
from recsys_lib.embeddings import (
    Item2vecConfig,
    ItemGraph,
    WalkConfig,
    WalkCorpus,
    build_deepwalk,
    build_node2vec,
    item_graph,
    liked_sequences,
    random_walks,
    train_graph_embedding,
)
from recsys_lib.embeddings import walks as walks_module
from recsys_lib.errors import DataError

TRAINING = Item2vecConfig(embedding_dim=8, window=4, epochs=3, downsample_above=0.0)
WALKS = WalkConfig(walk_length=20, walks_per_node=10)


def planted_graph(n_groups=3, size=12, seed=0):
    """Items 100..; most edges stay within a group, one in twenty leads anywhere."""
    rng = np.random.default_rng(seed)
    n = n_groups * size
    sources = np.repeat(np.arange(n), 12)
    inside = sources // size * size + rng.integers(0, size, len(sources))
    targets = np.where(rng.random(len(sources)) < 0.95, inside, rng.integers(0, n, len(sources)))
    return ItemGraph.from_edges(sources + 100, targets + 100)


@pytest.mark.parametrize(("p", "q"), [(1, 1), (0.5, 2), (2, 0.5)])
def test_planted_groups_are_found(p, q):
    config = dataclasses.replace(WALKS, p=p, q=q)
    table = train_graph_embedding(planted_graph(), config, TRAINING, seed=1)
    assert table.item_ids.tolist() == list(range(100, 136))
    same = [
        (table.nearest(item, 5)[0] - 100) // 12 == (item - 100) // 12 for item in table.item_ids
    ]
    assert np.mean(same) > 0.95


def test_the_corpus_is_the_walks_and_can_be_read_again():
    graph = ItemGraph.from_edges([1, 2], [2, 3], nodes=[9])
    corpus = WalkCorpus(graph, WALKS, seed=4)
    matrix = random_walks(graph, WALKS, seed=4)
    expected = [graph.item_ids[row[row >= 0]].tolist() for row in matrix]
    for _ in range(2):
        assert [walk.tolist() for walk in corpus] == expected


def test_streaming_to_word2vec_holds_one_block_only(monkeypatch):
    """Ten times the walks, the same memory: what is held does not grow with what is walked."""
    monkeypatch.setattr(walks_module, "WALKS_AT_ONCE", 1_000)
    rng = np.random.default_rng(0)
    n = 2_000
    graph = ItemGraph.from_edges(rng.integers(0, n, 10 * n), rng.integers(0, n, 10 * n))
    peaks = []
    for walks_per_node in (3, 30):
        config = WalkConfig(0.5, 2, walk_length=40, walks_per_node=walks_per_node)
        corpus = WalkCorpus(graph, config, seed=0)
        next(iter(corpus))  # compiles
        tracemalloc.start()  # numpy tells it of its arrays
        steps = sum(len(walk) for walk in corpus)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    all_walks = steps * np.int32().nbytes
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < all_walks / 4


def test_isolated_items_have_no_vector():
    graph = ItemGraph.from_edges([1, 2], [2, 1], nodes=[9])
    assert train_graph_embedding(graph, WALKS, TRAINING, 0).item_ids.tolist() == [1, 2]
    with pytest.raises(DataError, match="two or more"):
        train_graph_embedding(ItemGraph.from_edges([], [], nodes=[9]), WALKS, TRAINING, 0)


def test_build_learns_from_what_precedes_the_test_part():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        [
            (user, item, rng.choice([2, 5]), when)
            for user in range(40)
            for when, item in enumerate(rng.permutation(30) + 100)
        ],
        columns=["user_id", "item_id", "rating", "timestamp"],
    )
    splits = both(frame)
    walks = WalkConfig(p=0.25, q=4, walk_length=10, walks_per_node=2)
    tables = build_node2vec(splits, walks, TRAINING, seed=5)
    assert set(tables) == {"last_likes", "by_time"}
    for name, split in splits.items():
        graph = item_graph(liked_sequences(split.history("test")))
        expected = train_graph_embedding(graph, walks, TRAINING, 5)
        np.testing.assert_array_equal(tables[name].vectors, expected.vectors)
    first_order = dataclasses.replace(walks, p=1.0, q=1.0)
    other = build_deepwalk(splits, first_order, TRAINING, seed=5)["by_time"]
    assert not np.allclose(other.vectors, tables["by_time"].vectors)
