"""Item2vec's fast mode beside Spark MLlib and gensim: seconds, and recall on validation data.

All train on the same likes of MovieLens 100K in one run, each round from a seed of its own;
``extra_info`` holds mean and extremes of the tables' recall@10 and @100 on the validation part of
``last_likes``, a user being the mean of the last five likes.
"""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from recsys_lib.data.splits import last_likes
from recsys_lib.embeddings import (
    NOTES_CONFIG,
    Item2vecConfig,
    liked_sequences,
    train_item2vec,
    train_item2vec_numba,
    train_item2vec_on_spark,
)
from recsys_lib.evaluation import evaluate
from recsys_lib.recall import VectorRecaller
from recsys_lib.spark import spark_session

CHOSEN = Item2vecConfig()
# MLlib has neither negatives nor thinning. Of ten settings of window, passes, step, dimension and
# partitions tried on the validation part this one had the best recall, for less work than most:
# two partitions, whose vectors are averaged after each pass, learn less.
MLLIB = replace(CHOSEN, negatives=0, downsample_above=0.0, window=20, epochs=5, learning_rate=0.1)
# Of thirty settings of window, passes, step and negatives, the fastest that is as good there.
AS_GOOD = replace(CHOSEN, window=32, epochs=7, negatives=4, learning_rate=0.1)
SEED, ROUNDS = 42, 6


@pytest.fixture(scope="module")
def split(ml_100k):
    return last_likes(ml_100k.interactions)


@pytest.fixture(scope="module")
def spark():
    # The Java compiler's second stage, which our sessions leave out, is worth it to these loops.
    session = spark_session("benchmark item2vec", **{"spark.driver.extraJavaOptions": ""})
    yield session
    session.stop()


TRAINERS = {
    "Spark, notes' setting": (train_item2vec_on_spark, NOTES_CONFIG),
    "gensim, notes' setting": (train_item2vec, NOTES_CONFIG),
    "Spark, its best setting": (train_item2vec_on_spark, MLLIB),
    "gensim, chosen setting": (train_item2vec, CHOSEN),
    "fast, chosen setting": (train_item2vec_numba, CHOSEN),
    "fast, as good as Spark": (train_item2vec_numba, AS_GOOD),
}


@pytest.mark.spark
@pytest.mark.benchmark(group="item2vec on 47,000 likes (peers: Spark MLlib, gensim)")
@pytest.mark.parametrize("name", TRAINERS)
def test_training(benchmark, request, split, name):
    trainer, config = TRAINERS[name]
    history = split.history("validation")
    arguments = (liked_sequences(history), config)
    if trainer is train_item2vec_on_spark:
        arguments = (request.getfixturevalue("spark"), *arguments)
    seeds, tables = count(SEED), []

    def train():
        tables.append(trainer(*arguments, next(seeds)))

    # A first round compiles: numba's loop, Java's classes.
    benchmark.pedantic(train, rounds=ROUNDS, warmup_rounds=1)
    judged = [
        evaluate(VectorRecaller(table, n_recent=5).fit(history), *split.train_test("validation"))
        for table in tables[-ROUNDS:]
    ]
    for metric in ("recall_at_10", "recall_at_100"):
        found = [each.mean(metric) for each in judged]
        told = (np.mean(found), min(found), max(found))
        benchmark.extra_info[metric] = [round(float(value), 4) for value in told]
