"""Item vectors: one table format, and what trains them (S6 to S9 of the notes).

Tables of vectors
    ``EmbeddingTable``; ``read_word2vec``, ``write_word2vec``, ``read_reference`` and
    ``write_reference`` for text files; ``user_embeddings`` the mean of a user's likes;
    ``mean_of_similar`` and ``side_information`` for items that nobody knows yet
Item2vec
    ``liked_sequences`` what it reads; ``Item2vecConfig``, ``NOTES_CONFIG``; ``train_item2vec``
    with gensim, ``train_item2vec_numba`` in compiled loops, ``train_item2vec_on_spark``;
    ``build_item2vec`` for all splits
Graphs and walks
    ``ItemGraph``, also from and to networkx; ``item_graph`` of sequences; ``WalkConfig``,
    ``random_walks``, ``walk_blocks`` and ``spark_walks``; ``transition_probabilities`` the closed
    form; ``WalkCorpus``, ``train_graph_embedding``; ``build_deepwalk`` and ``build_node2vec`` for
    all splits

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
from recsys_lib.embeddings.item2vec_numba import train_item2vec_numba
from recsys_lib.embeddings.item2vec_spark import train_item2vec_on_spark
from recsys_lib.embeddings.side_information import side_information, side_of_items
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
from recsys_lib.embeddings.walks_spark import spark_walks

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
    "side_of_items",
    "spark_walks",
    "train_graph_embedding",
    "train_item2vec",
    "train_item2vec_numba",
    "train_item2vec_on_spark",
    "transition_probabilities",
    "user_embeddings",
    "walk_blocks",
    "write_reference",
    "write_word2vec",
]
