"""Item2vec's fast mode beside Spark MLlib and gensim: seconds, and recall on validation data.

All train on the same likes of MovieLens 100K in one run; ``extra_info`` holds recall@10 and @100 of
each table on the validation part of ``last_likes``, a user being the mean of the last five likes.
"""

from dataclasses import replace

import pytest

from recsys_lib.data.splits import last_likes
from recsys_lib.embeddings import (
    NOTES_CONFIG,
    Item2vecConfig,
    liked_sequences,
    train_fast,
    train_item2vec,
    train_item2vec_on_spark,
)
from recsys_lib.evaluation import evaluate
from recsys_lib.features.spark import spark_session
from recsys_lib.recall import VectorRecaller

CHOSEN = Item2vecConfig()
# What MLlib has of the chosen setting, and not all its passes: one takes longer than ten of ours.
MLLIB = replace(CHOSEN, negatives=0, downsample_above=0.0, epochs=3)
LIGHT = replace(CHOSEN, embedding_dim=16, epochs=4)
SEED = 42


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
    "fast, light setting": (train_fast, LIGHT),
    "Spark, chosen window, 3 passes": (train_item2vec_on_spark, MLLIB),
    "gensim, chosen setting": (train_item2vec, CHOSEN),
    "fast, chosen setting": (train_fast, CHOSEN),
}


@pytest.mark.spark
@pytest.mark.benchmark(group="item2vec on 47,000 likes (peers: Spark MLlib, gensim)")
@pytest.mark.parametrize("name", TRAINERS)
def test_training(benchmark, request, split, name):
    trainer, config = TRAINERS[name]
    history = split.history("validation")
    arguments = (liked_sequences(history), config, SEED)
    if trainer is train_item2vec_on_spark:
        arguments = (request.getfixturevalue("spark"), *arguments)
    # A first round compiles: numba's loop, Java's classes.
    warm_up = 0 if config is MLLIB else 1
    table = benchmark.pedantic(trainer, arguments, rounds=1, warmup_rounds=warm_up)
    judged = evaluate(VectorRecaller(table, n_recent=5).fit(history), split, "validation")
    for metric in ("recall_at_10", "recall_at_100"):
        benchmark.extra_info[metric] = round(judged.mean(metric), 3)
