"""Spark MLlib's Word2Vec behind the same interface, beside gensim's hierarchical softmax."""

import dataclasses

import numpy as np
import pytest
from planted import planted_sequences

from recsys_lib.embeddings import Item2vecConfig, train_item2vec, train_item2vec_on_spark
from recsys_lib.errors import DataError, RecsysError

CONFIG = Item2vecConfig(
    embedding_dim=8, window=8, epochs=10, negatives=0, downsample_above=0.0, learning_rate=0.1
)


@pytest.mark.spark
def test_it_finds_the_planted_tastes_like_gensim(spark):
    sequences = planted_sequences()
    tables = [train_item2vec_on_spark(spark, sequences, CONFIG, seed=1) for _ in range(2)]
    np.testing.assert_array_equal(tables[0].vectors, tables[1].vectors)
    for table in (tables[0], train_item2vec(sequences, CONFIG, seed=1)):
        assert table.item_ids.tolist() == list(range(30))
        for item in table.item_ids:
            assert (table.nearest(item, 5)[0] // 10 == item // 10).all()


@pytest.mark.spark
def test_rare_items_have_no_vector(spark):
    sequences = [np.array(s) for s in ([1, 2], [2, 1], [3], [2, 4])]
    config = dataclasses.replace(CONFIG, epochs=1, min_count=2)
    assert train_item2vec_on_spark(spark, sequences, config, 0).item_ids.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("sequences", "change", "error", "message"),
    [
        ([[1, 2]], {"negatives": 5}, RecsysError, "negatives=0"),
        ([[1, 2]], {"downsample_above": 1e-3}, RecsysError, "downsample_above=0.0"),
        ([[1], []], {}, DataError, "two or more"),
        ([[1, 2]], {"min_count": 2}, DataError, "No item occurs 2 times"),
    ],
)
def test_what_mllib_cannot_do_is_named_before_spark_is_asked(sequences, change, error, message):
    with pytest.raises(error, match=message):
        train_item2vec_on_spark(None, sequences, dataclasses.replace(CONFIG, **change), 0)
