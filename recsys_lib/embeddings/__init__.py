"""Item vectors: one table format, and what trains them (S6 to S9 of the notes).

gensim and numba are imported when something is trained, not with this package.
"""

from recsys_lib.embeddings.graph import ItemGraph, item_graph
from recsys_lib.embeddings.graph_embedding import (
    WalkCorpus,
    build_deepwalk,
    build_node2vec,
    train_graph_embedding,
)
from recsys_lib.embeddings.item2vec import (
    NOTES_CONFIG,
    Item2vecConfig,
    build_item2vec,
    liked_sequences,
    train_item2vec,
)
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.embeddings.walks import (
    WalkConfig,
    random_walks,
    transition_probabilities,
    walk_blocks,
)

__all__ = [
    "NOTES_CONFIG",
    "EmbeddingTable",
    "Item2vecConfig",
    "ItemGraph",
    "WalkConfig",
    "WalkCorpus",
    "build_deepwalk",
    "build_item2vec",
    "build_node2vec",
    "item_graph",
    "liked_sequences",
    "random_walks",
    "train_graph_embedding",
    "train_item2vec",
    "transition_probabilities",
    "walk_blocks",
]
