"""How fast recall answers, beside a named peer in the same run (``make bench``)."""

import numpy as np
import pytest

from recsys_lib.data.splits import last_likes
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.recall import Ease, ImplicitALS, Merged, TwoTower, VectorRecaller, load_recaller
from recsys_lib.recall.lists import top_k


@pytest.fixture(scope="module")
def history(ml_100k):
    return last_likes(ml_100k.interactions).history("test")


@pytest.fixture(scope="module")
def vectors(history):
    items = np.unique(history["item_id"])
    table = EmbeddingTable(items, np.random.default_rng(0).normal(size=(len(items), 32)))
    return VectorRecaller(table).fit(history)


@pytest.mark.benchmark(group="ten films for every user (peer: sorting all scores)")
@pytest.mark.parametrize("name", ["full sort", "top_k"])
def test_the_best_of_all_scores(benchmark, vectors, name):
    scores = vectors.users_ @ vectors.item_vectors_.T
    items = vectors.matrix_.item_ids
    work = {
        "full sort": lambda: np.argsort(-scores, axis=1)[:, :10],
        "top_k": lambda: top_k(scores, items, 10),
    }
    benchmark(work[name])


@pytest.mark.benchmark(group="ten films for every user (peer: sorting all scores)")
@pytest.mark.parametrize("name", ["vectors", "als", "ease"])
def test_recommend(benchmark, history, vectors, name):
    makers = {"als": ImplicitALS(sweeps=1), "ease": Ease()}
    recaller = vectors if name == "vectors" else makers[name].fit(history)
    benchmark(recaller.lists, recaller.matrix_.user_ids, 10)


@pytest.fixture(scope="module")
def saved(history, tmp_path_factory):
    """A merge of four channels on disk."""
    channels = {
        "ease": Ease(half_life_likes=10),
        "als": ImplicitALS(),
        "two_tower": TwoTower(epochs=1),
        "node2vec": VectorRecaller("node2vec", n_recent=5),
    }
    folder = tmp_path_factory.mktemp("saved") / "merge"
    Merged(channels, fusion="rank").fit(history).save(folder)
    return folder


@pytest.mark.benchmark(group="a merge of four channels from disk")
@pytest.mark.parametrize("what", ["load", "load, one user", "one user", "one history"])
def test_from_disk(benchmark, saved, what):
    """To reach: loaded in under 1 s, the first user answered in under 50 ms."""
    merge, history = load_recaller(saved), {-1: [50, 181, 172, 1, 7]}
    work = {
        "load": lambda: load_recaller(saved),
        "load, one user": lambda: load_recaller(saved).recommend(7),
        "one user": lambda: merge.recommend(7),
        "one history": lambda: merge.recommend(-1, histories=history),
    }
    benchmark(work[what])
