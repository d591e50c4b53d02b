"""Timings, run by ``make bench``; each stands beside a named peer in the same run."""

import subprocess
import sys

import numpy as np
import pytest

from recsys_lib.data.splits import last_likes
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.recall import VectorRecaller
from recsys_lib.recall.base import top_k


@pytest.mark.benchmark(group="start of a process (peer: the bare interpreter)")
@pytest.mark.parametrize(
    "command",
    [["-c", "pass"], ["-c", "import recsys_lib"], ["-m", "recsys_lib", "--help"]],
    ids=["python", "import recsys_lib", "recsys --help"],
)
def test_start(benchmark, command):
    run = {"capture_output": True, "check": True}
    benchmark.pedantic(subprocess.run, [[sys.executable, *command]], run, rounds=5)


@pytest.mark.benchmark(group="ten films for every user (peer: sorting all scores)")
@pytest.mark.parametrize("name", ["full sort", "top_k", "VectorRecaller.recommend"])
def test_ten_films_for_everybody(benchmark, ml_100k, name):
    history = last_likes(ml_100k.interactions).history("test")
    items = np.unique(history["item_id"])
    vectors = np.random.default_rng(0).normal(size=(len(items), 32))
    recaller = VectorRecaller(EmbeddingTable(items, vectors)).fit(history)
    users = recaller.matrix_.user_ids
    scores = recaller.user_vectors_ @ recaller.item_vectors_.T
    work = {
        "full sort": lambda: np.argsort(-scores, axis=1)[:, :10],
        "top_k": lambda: top_k(scores, items, 10),
        "VectorRecaller.recommend": lambda: recaller.recommend(users, 10),
    }
    benchmark(work[name])
