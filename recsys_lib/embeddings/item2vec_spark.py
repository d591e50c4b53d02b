"""Item2vec on Spark MLlib: the trainer of the notes (S7), for corpora beyond one machine."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from recsys_lib.embeddings.item2vec import LONGEST_SEQUENCE, Item2vecConfig
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def train_item2vec_on_spark(
    spark: "SparkSession",
    sequences: Iterable[np.ndarray],
    config: Item2vecConfig,
    seed: int,
    partitions: int = 1,
) -> EmbeddingTable:
    """Train item vectors with Spark MLlib's Word2Vec: skip-gram with hierarchical softmax.

    Parameters
    ----------
    spark : SparkSession
        As :func:`recsys_lib.spark.spark_session` returns.
    sequences : iterable of int arrays
        Raw item ids in order; sequences of one item are left out.
    config : Item2vecConfig
        With ``negatives=0`` and ``downsample_above=0.0``, because MLlib knows neither.
    seed : int
        The same sequences, configuration, seed and partitions give the same vectors.
    partitions : int
        Number of models that are trained at the same time and averaged after each iteration.
        Several are faster on a cluster and learn less from each like.

    Returns
    -------
    EmbeddingTable

    Raises
    ------
    RecsysError
        The configuration asks for something that MLlib cannot do.
    DataError
        No sequence has two items, or no item occurs ``min_count`` times.
    """
    from pyspark.ml.feature import Word2Vec

    if config.negatives or config.downsample_above:
        raise RecsysError(
            "Spark MLlib trains the hierarchical softmax on all occurrences: set negatives=0 and "
            f"downsample_above=0.0, not {config.negatives} and {config.downsample_above}."
        )
    rows = [([str(item) for item in sequence],) for sequence in sequences if len(sequence) > 1]
    items, counts = np.unique([item for (row,) in rows for item in row], return_counts=True)
    if not len(items) or counts.max() < config.min_count:
        raise DataError(
            f"No item occurs {config.min_count} times in {len(rows)} sequences of two or more "
            "items: nothing to learn vectors from."
        )
    model = Word2Vec(
        inputCol="likes",
        vectorSize=config.embedding_dim,
        windowSize=config.window,
        maxIter=config.epochs,
        minCount=config.min_count,
        stepSize=config.learning_rate,
        maxSentenceLength=LONGEST_SEQUENCE,
        numPartitions=partitions,
        seed=seed,
    ).fit(spark.createDataFrame(rows, ["likes"]))
    learned = model.getVectors().collect()
    return EmbeddingTable(
        np.array([int(row["word"]) for row in learned]),
        np.array([row["vector"].toArray() for row in learned]),
    )
