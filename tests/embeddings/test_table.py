import numpy as np
import pytest

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError


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


def test_a_loaded_table_is_mapped_and_survives_its_replacement(tmp_path):
    table().save(tmp_path / "t")
    loaded = EmbeddingTable.load(tmp_path / "t")
    assert isinstance(loaded.vectors.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        loaded.vectors[0] = 0
    EmbeddingTable([1], [[9, 9]]).save(tmp_path / "t")
    assert loaded.vectors.tolist() == table().vectors.tolist()
    EmbeddingTable([], np.empty((0, 4))).save(tmp_path / "t")
    assert EmbeddingTable.load(tmp_path / "t").vectors.shape == (0, 4)


@pytest.mark.parametrize(
    ("ids", "vectors", "message"),
    [
        (np.array([1, 2]), np.array([[1, 2], [3, np.nan]]), "item 2 first"),
        (np.array([1, 1]), np.eye(2), "Item 1 has more than one"),
        (np.array([1, 2, 3]), np.eye(2), "shapes"),
        (np.array([1.0, 2.0]), np.eye(2), "integers, not float64"),
        (np.array([1, 2]), np.array([{}, {}]), "No embedding table can be read"),
    ],
)
def test_damaged_files_are_named(ids, vectors, message, tmp_path):
    np.save(tmp_path / "item_ids.npy", ids)
    np.save(tmp_path / "vectors.npy", vectors, allow_pickle=True)
    with pytest.raises(DataError, match=message):
        EmbeddingTable.load(tmp_path)


def test_a_truncated_file_is_named(tmp_path):
    EmbeddingTable(np.arange(100), np.ones((100, 8))).save(tmp_path / "t")
    whole = (tmp_path / "t" / "vectors.npy").read_bytes()
    for size in (len(whole) // 2, 20, 0):
        (tmp_path / "t" / "vectors.npy").write_bytes(whole[:size])
        with pytest.raises(DataError, match="No embedding table"):
            EmbeddingTable.load(tmp_path / "t")


def test_checking_goes_block_by_block(monkeypatch):
    monkeypatch.setattr("recsys_lib.embeddings.table.ROWS_AT_ONCE", 2)
    vectors = np.ones((5, 2))
    vectors[[1, 4], 0] = np.inf
    with pytest.raises(DataError, match="2 item vectors hold NaN or infinity, item 11 first"):
        EmbeddingTable(np.arange(10, 15), vectors)


def test_zero_vectors_stay_zero():
    assert EmbeddingTable([1], [[0, 0]]).normalized().vectors.tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("ids", "vectors", "message"),
    [
        ([1, 2], [[1.0]], "shapes"),
        ([1, 2], [[1.0], [2.0, 3.0]], "no matrix"),
        ([1.5], [[1.0]], "integers, not float64"),
        (["a"], [[1.0]], "integers, not"),
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
    with pytest.raises(DataError, match=r"\[77\]"):
        table().nearest(77)
    with pytest.raises(RecsysError, match="k must be at least 1"):
        table().nearest(10, k=0)
    with pytest.raises(DataError, match="No embedding table"):
        EmbeddingTable.load(tmp_path / "nowhere")
    assert len(EmbeddingTable([], np.empty((0, 4)))) == 0
