"""Item vectors: one table format, and what trains them (S6 to S9 of the notes).

gensim, numba and Spark are imported when something is trained, not with this package.
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
from recsys_lib.embeddings.item2vec_numba import train_fast
from recsys_lib.embeddings.item2vec_spark import train_item2vec_on_spark
from recsys_lib.embeddings.side_information import side_information
from recsys_lib.embeddings.similar import mean_of_similar
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.embeddings.text_formats import (
    read_reference,
    read_word2vec,
    write_reference,
    write_word2vec,
)
from recsys_lib.embeddings.users import user_embeddings
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
    "mean_of_similar",
    "random_walks",
    "read_reference",
    "read_word2vec",
    "side_information",
    "train_fast",
    "train_graph_embedding",
    "train_item2vec",
    "train_item2vec_on_spark",
    "transition_probabilities",
    "user_embeddings",
    "walk_blocks",
    "write_reference",
    "write_word2vec",
]
