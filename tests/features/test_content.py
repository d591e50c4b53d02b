"""What films contain: people from the knowledge graph, words of the title."""

import pandas as pd
from engine_frames import given

from recsys_lib import schema
from recsys_lib.features import with_content


def content(engine, triples):
    items = pd.DataFrame(
        {
            "item_id": [1, 2, 3, 4],
            "title": ["The Wrong Trousers", "Wallace & Gromit: 3 Trousers", None, "Amélie"],
            "release_year": pd.array([1993, 1995, None, 2001], dtype="Int16"),
            "genres": [[], [], [], []],
            "entity_id": ["m.1", "m.2", None, "m.4"],
        }
    )
    if triples is not None:
        triples = given(engine, pd.DataFrame(triples, columns=schema.TRIPLES.names), schema.TRIPLES)
    found = with_content(given(engine, items, schema.ITEMS), triples)
    found = found if engine is None else found.toPandas()
    return found.set_index("item_id").sort_index()


def test_of_several_people_the_one_with_most_films(engine):
    by, cast = "film.film.directed_by", "film.film.actor"
    table = content(
        engine,
        [("m.1", by, "b"), ("m.1", by, "a"), ("m.2", by, "b"), ("m.2", by, "b"),  # given twice
         ("m.4", by, "z"), ("m.4", by, "y"), ("m.1", cast, "c"), ("m.9", cast, "c")],
    )  # fmt: skip
    assert table.director.tolist() == ["b", "b", None, "y"]
    assert table.actor.tolist() == ["c", None, None, None]
    assert table.writer.isna().all()


def test_words_of_titles_without_a_graph(engine):
    table = content(engine, None)
    assert [list(words) for words in table.title_words] == [
        ["wrong", "trousers"], ["wallace", "gromit", "3", "trousers"], [], ["amélie"],
    ]  # fmt: skip
    assert table.director.isna().all()
