import numpy as np
import pytest

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError


def table():
    return EmbeddingTable([30, 10, 20], [[0, 2], [3, 0], [4, 3]])


def test_rows_are_found_by_id():
    assert table().item_ids.tolist() == [10, 20, 30]
    assert table().vectors_of([30, 10]).tolist() == [[0, 2], [3, 0]]
    assert table().contains([10, 11]).tolist() == [True, False]
    assert table().embedding_dim == 2


def test_nearest_by_cosine_leaves_the_item_out():
    ids, cosines = table().nearest(10, k=5)
    assert ids.tolist() == [20, 30]
    assert cosines == pytest.approx([0.8, 0.0])


def test_save_and_load(tmp_path):
    table().save(tmp_path / "t")
    loaded = EmbeddingTable.load(tmp_path / "t")
    assert (loaded.item_ids == table().item_ids).all()
    assert (loaded.vectors == table().vectors).all()


def test_zero_vectors_stay_zero():
    assert EmbeddingTable([1], [[0, 0]]).normalized().vectors.tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("ids", "vectors", "message"),
    [
        ([1, 2], [[1.0]], "shapes"),
        ([1, 1], [[1.0], [2.0]], "Item 1 has more than one"),
        ([1, 2], [[1.0], [np.nan]], "item 2 first"),
    ],
)
def test_broken_tables_are_refused(ids, vectors, message):
    with pytest.raises(DataError, match=message):
        EmbeddingTable(ids, vectors)


def test_unknown_items_are_named(tmp_path):
    with pytest.raises(DataError, match=r"\[77\]"):
        table().vectors_of([10, 77])
    with pytest.raises(DataError, match="No embedding table"):
        EmbeddingTable.load(tmp_path / "nowhere")
    assert len(EmbeddingTable([], np.empty((0, 4)))) == 0
