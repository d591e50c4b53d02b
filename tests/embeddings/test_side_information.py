"""Side information, vectors from similar items, and user vectors: by hand on a few rows."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from planted import interactions

from recsys_lib.data.splits import last_likes
from recsys_lib.embeddings import (
    EmbeddingTable,
    mean_of_similar,
    side_information,
    user_embeddings,
)
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.recall import VectorRecaller

ITEMS = pd.DataFrame(
    {
        "item_id": [1, 2, 3],
        "genres": [["Drama", "War"], ["Drama"], []],
        "release_year": pd.array([1994, 1995, None], dtype="Int16"),
        "entity_id": ["a", "b", None],
    }
)
TRIPLES = pd.DataFrame(
    [
        ("a", "film.film.directed_by", "x"),
        ("b", "film.film.directed_by", "x"),
        ("b", "film.film.directed_by", "x"),  # a second time
        ("b", "film.film.directed_by", "y"),  # of one film only
        ("x", "film.director.film", "a"),
    ],
    columns=["head", "relation", "tail"],
)


def rows(frame):
    return [tuple(row) for row in frame.itertuples(index=False)]


def test_side_information_by_hand():
    data = SimpleNamespace(items=ITEMS, triples=TRIPLES)
    side = side_information(data, ("genre", "decade", "director"))
    assert rows(side) == [
        (1, "decade", "1990"), (1, "director", "x"), (1, "genre", "Drama"),
        (2, "decade", "1990"), (2, "director", "x"), (2, "genre", "Drama"),
    ]  # fmt: skip
    one = side_information(data, ("director",), min_items=1)
    assert rows(one)[1:] == [(2, "director", "x"), (2, "director", "y")]


def test_without_a_knowledge_graph_there_are_genres_alone():
    data = SimpleNamespace(items=ITEMS, triples=None)
    assert set(side_information(data, ("genre", "director"))["field"]) == {"genre"}
    assert len(side_information(data, ("director",))) == 0
    with pytest.raises(DataError, match=r"'genres'\. Did you mean 'genre'"):
        side_information(data, ("genres",))


def test_every_movielens_film_has_a_genre_and_all_but_two_a_decade(ml_100k):
    side = side_information(ml_100k, ("genre", "decade")).groupby("field")["item_id"].nunique()
    assert side.to_dict() == {"decade": 1680, "genre": 1682}


SIDE = pd.DataFrame(
    [(1, "g", "a"), (2, "g", "a"), (3, "g", "b"), (4, "g", "b"), (9, "g", "a"), (8, "g", "z")],
    columns=["item_id", "field", "value"],
)


def test_a_new_item_gets_the_mean_of_its_similar_items():
    table = EmbeddingTable([1, 2, 3, 4], [[2, 0], [0, 5], [-1, 0], [0, -1]])
    filled = mean_of_similar(table, SIDE, [9, 8, 77])
    assert filled.item_ids.tolist() == [1, 2, 3, 4, 9]  # 8 and 77 share nothing with anybody
    np.testing.assert_allclose(filled.vectors_of([9])[0], [0.5, 0.5], rtol=1e-6)
    replaced = mean_of_similar(table, SIDE, [1], k=1)
    np.testing.assert_allclose(replaced.vectors_of([1])[0], [0, 1], rtol=1e-6)
    assert replaced.vectors_of([2, 3, 4]).tolist() == table.vectors_of([2, 3, 4]).tolist()
    with pytest.raises(RecsysError, match="k must be"):
        mean_of_similar(table, SIDE, [1], k=0)


HISTORY = interactions(
    [
        (1, 10, 5, 100), (1, 20, 4, 200), (1, 30, 1, 300),  # two likes and a dislike
        (2, 20, 5, 100),  # one film
        (3, 99, 5, 100),  # a film without a vector
        (4, 10, 2, 100),  # no like
    ]
)  # fmt: skip


def test_users_by_hand():
    table = EmbeddingTable([10, 20, 30], [[2, 0], [0, 3], [1, 1]])
    users = user_embeddings(table, HISTORY)
    assert users.item_ids.tolist() == [1, 2]
    assert users.vectors.tolist() == [[0.5, 0.5], [0, 1]]
    assert user_embeddings(table, HISTORY, n_recent=1).vectors_of([1]).tolist() == [[0, 1]]
    assert len(user_embeddings(table, HISTORY.iloc[:0])) == 0
    with pytest.raises(RecsysError, match="n_recent"):
        user_embeddings(table, HISTORY, n_recent=0)


def test_the_recaller_searches_with_the_same_users(ml_100k):
    history = last_likes(ml_100k.interactions).history("test")
    ids = np.unique(history["item_id"])[::2]
    table = EmbeddingTable(ids, np.random.default_rng(0).normal(size=(len(ids), 8)))
    users = user_embeddings(table, history, n_recent=5)
    recaller = VectorRecaller(table, n_recent=5).fit(history)
    theirs = recaller.users_[recaller.matrix_.users_of(users.item_ids)]
    np.testing.assert_allclose(users.normalized().vectors, theirs, atol=1e-6)
    assert len(users) == recaller.users_.any(axis=1).sum()
