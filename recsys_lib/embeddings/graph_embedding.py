"""Graph embeddings: random walks over the item graph read as sentences by Word2vec."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from recsys_lib.data.splits import Split
from recsys_lib.embeddings.graph import ItemGraph, item_graph
from recsys_lib.embeddings.item2vec import Item2vecConfig, liked_sequences, train_item2vec
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.embeddings.walks import WalkConfig, walk_blocks
from recsys_lib.seeding import DEFAULT_SEED

# Those of lesson 04. Its lab compares them with others on the validation part of the last_likes
# split of MovieLens 100K; q = 4 is what the notes call structural, and not what validation prefers.
DEEPWALK = WalkConfig(p=1.0, q=1.0)
NODE2VEC = WalkConfig(p=1.0, q=4.0)
WALK_TRAINING = Item2vecConfig(embedding_dim=32, window=10, epochs=3, learning_rate=0.1)


@dataclass(frozen=True)
class WalkCorpus:
    """Walks as sequences of raw item ids, which are made again at each iteration.

    They are never in memory all at once. Every iteration gives the same walks, so that all epochs
    see the same corpus.
    """

    graph: ItemGraph
    config: WalkConfig
    seed: int

    def __iter__(self) -> Iterator[np.ndarray]:
        for block in walk_blocks(self.graph, self.config, self.seed):
            lengths = (block >= 0).sum(axis=1)
            items = self.graph.item_ids[block]  # the padding is cut off below
            for walk, length in zip(items, lengths, strict=True):
                yield walk[:length]


def train_graph_embedding(
    graph: ItemGraph, walk_config: WalkConfig, item2vec_config: Item2vecConfig, seed: int
) -> EmbeddingTable:
    """Walk over a graph and train item vectors on the walks.

    With p = q = 1 this is DeepWalk (Perozzi et al., 2014, with negative sampling in place of the
    hierarchical softmax). Otherwise it is node2vec (Grover and Leskovec, 2016).

    Returns
    -------
    EmbeddingTable
        One vector for each node that lies on a walk of two or more nodes, by item id. Nodes
        without any edge have none. ``graph.labels`` names the nodes of a labelled graph, whose
        item ids are the numbers of its nodes.

    Raises
    ------
    DataError
        No walk has two nodes.
    """
    return train_item2vec(WalkCorpus(graph, walk_config, seed), item2vec_config, seed)


def build_deepwalk(
    splits: dict[str, Split],
    walk_config: WalkConfig = DEEPWALK,
    config: Item2vecConfig = WALK_TRAINING,
    seed: int = DEFAULT_SEED,
) -> dict[str, EmbeddingTable]:
    """Train DeepWalk for each split, on the likes that precede its test part."""

    def train(split: Split) -> EmbeddingTable:
        graph = item_graph(liked_sequences(split.history("test")))
        return train_graph_embedding(graph, walk_config, config, seed)

    with ThreadPoolExecutor() as threads:  # gensim releases Python's lock while it trains
        return dict(zip(splits, threads.map(train, splits.values()), strict=True))


def build_node2vec(
    splits: dict[str, Split],
    walk_config: WalkConfig = NODE2VEC,
    config: Item2vecConfig = WALK_TRAINING,
    seed: int = DEFAULT_SEED,
) -> dict[str, EmbeddingTable]:
    """Train node2vec for each split, on the likes that precede its test part."""
    return build_deepwalk(splits, walk_config, config, seed)
