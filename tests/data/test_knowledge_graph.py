"""Facts of the knowledge graph reach the items they are about, each once."""

import pandas as pd
import pytest

from recsys_lib.data.knowledge_graph import facts_of_items, with_people
from recsys_lib.schema import RELATIONS


@pytest.fixture
def items():
    return pd.DataFrame({"item_id": [7, 8, 9], "entity_id": ["m.7", None, "m.9"]})


@pytest.fixture
def triples():
    facts = [
        ("m.9", RELATIONS["actor"], "zoe"),
        ("m.9", RELATIONS["actor"], "ann"),
        ("m.9", RELATIONS["actor"], "ann"),
        ("m.9", RELATIONS["director"], "ann"),
        ("m.7", RELATIONS["writer"], "bob"),
        ("m.7", "film.film.language", "English"),
        ("m.1", RELATIONS["actor"], "cat"),
    ]
    return pd.DataFrame(facts, columns=["head", "relation", "tail"])


def test_facts_of_items(items, triples):
    found = facts_of_items(items, triples)
    assert sorted(found.itertuples(index=False, name=None)) == [
        (7, "writer", "bob"),
        (9, "actor", "ann"),
        (9, "actor", "zoe"),
        (9, "director", "ann"),
    ]
    assert facts_of_items(items, triples, ["director"])["person"].tolist() == ["ann"]
    assert facts_of_items(items, None).columns.tolist() == found.columns.tolist()


def test_people_are_listed_once_in_order(items, triples):
    assert with_people(items, triples)["people"].tolist() == [[], [], ["ann", "zoe"]]
    everybody = with_people(items, triples, tuple(RELATIONS))["people"].tolist()
    assert everybody == [["bob"], [], ["ann", "zoe"]]
    assert with_people(items, None)["people"].tolist() == [[], [], []]
