"""Lists and vectors made offline are served as they were made, from every kind of store."""

import numpy as np
import pytest

from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import DataError
from recsys_lib.stores import (
    StoredLists,
    context_keys,
    list_types,
    lists_table,
    vector_types,
    vectors_table,
)

ITEMS = np.array([[5, 3, 9], [7, -1, -1], [-1, -1, -1]])
SCORES = np.array([[0.9, 0.5, 0.1], [1 / 3, -np.inf, -np.inf], [-np.inf] * 3], np.float32)


@pytest.fixture
def lists(new_store) -> StoredLists:
    lists = StoredLists(new_store(types=list_types(3), ttl_s=100))
    lists.publish([10, 20, 30], ITEMS, SCORES, "1")
    return lists


def test_lists_come_back_without_their_padding(lists):
    items, scores = lists.recommend(10)
    assert items.tolist() == [5, 3, 9]
    assert scores.tobytes() == SCORES[0].tobytes()
    assert lists.recommend(20)[0].tolist() == [7]
    assert lists.recommend(30)[0].tolist() == []
    assert lists.recommend(40)[0].tolist() == []


def test_a_list_is_cut_and_what_a_user_had_since_is_left_out(lists):
    assert lists.recommend(10, k=2)[0].tolist() == [5, 3]
    assert lists.recommend(10, k=2, exclude=[5, 77])[0].tolist() == [3, 9]


def test_a_list_past_its_time_is_not_served(lists, clock):
    clock.now += 101
    assert lists.recommend(10)[0].tolist() == []


def test_an_item_that_does_not_fit_is_refused():
    with pytest.raises(DataError, match="32 bits"):
        lists_table([1], [[2**31]], [[0.5]])


def test_each_context_has_lists_of_its_own(new_store):
    keys = np.concatenate([context_keys([10, 20], context, 3) for context in range(3)])
    assert len(set(keys)) == 6
    lists = StoredLists(new_store(types=list_types(1)))
    lists.publish(keys, np.arange(6)[:, None], np.zeros((6, 1)), "1")
    found = [lists.recommend(context_keys([20], c, 3)[0])[0].tolist() for c in range(3)]
    assert found == [[1], [3], [5]]
    with pytest.raises(DataError, match="Context 3"):
        context_keys([1], 3, 3)


def test_vectors_come_back_bit_for_bit(new_store):
    vectors = np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)
    table = EmbeddingTable(np.array([4, 8, 15, 16]), vectors)
    store = new_store(types=vector_types(6))
    store.publish(vectors_table(table), "1")
    read = np.stack([row["vector"] for row in store.read_many(table.item_ids).rows])
    assert read.tobytes() == vectors.tobytes()
