"""Embeddings as text: round trips, gensim as a witness, and faults named by their line."""

import numpy as np
import pytest

from recsys_lib.embeddings import (
    EmbeddingTable,
    read_reference,
    read_word2vec,
    write_reference,
    write_word2vec,
)
from recsys_lib.errors import DataError

FORMATS = {
    "word2vec": (write_word2vec, read_word2vec),
    "reference": (write_reference, read_reference),
}


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return EmbeddingTable(rng.permutation(500) * 7 - 90, rng.normal(size=(500, 6)) * 1e-3)


@pytest.mark.parametrize("form", FORMATS)
def test_text_gives_every_bit_back(form, table, tmp_path):
    write, read = FORMATS[form]
    write(table, tmp_path / "t.txt")
    loaded = read(tmp_path / "t.txt")
    np.testing.assert_array_equal(loaded.item_ids, table.item_ids)
    np.testing.assert_array_equal(loaded.vectors, table.vectors)


def test_the_formats_are_those_of_the_others(table, tmp_path):
    from gensim.models import KeyedVectors

    write_word2vec(table, tmp_path / "ours.txt")
    theirs = KeyedVectors.load_word2vec_format(tmp_path / "ours.txt")
    assert [int(word) for word in theirs.index_to_key] == table.item_ids.tolist()
    np.testing.assert_array_equal(theirs.vectors, table.vectors)
    theirs.save_word2vec_format(str(tmp_path / "theirs.txt"))
    np.testing.assert_allclose(
        read_word2vec(tmp_path / "theirs.txt").vectors, table.vectors, rtol=1e-6
    )


def test_the_reference_line_by_hand(tmp_path):
    write_reference(EmbeddingTable([592, 7], [[0.5, -2], [1, 0.1]]), tmp_path / "t.txt")
    assert (tmp_path / "t.txt").read_text() == "7:1 0.100000001\n592:0.5 -2\n"
    (tmp_path / "t.txt").write_bytes(b"\xef\xbb\xbf592:0.5 -2.0\r\n\r\n7:1e0 .1\r\n")
    assert read_reference(tmp_path / "t.txt").item_ids.tolist() == [7, 592]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1:1 2\n2:3 4\n1:5 6\n", "line 3: item 1 has a vector already, in line 1"),
        ("1:1 2\n2:3\n", "line 2, item 2: 1 numbers where 2 are due"),
        ("1:1 2\n\n2:3 nan\n", "line 3, item 2: a value is NaN"),
        ("1:1 inf\n", "line 1, item 1: a value is NaN or infinite"),
        ("1:1 2\nuser7:3 4\n", "line 2: the id must be an integer, not 'user7'"),
        ("1.5:1 2\n", "line 1: the id must be an integer, not '1.5'"),
        ("99999999999999999999:1 2\n", "line 1: the id must be an integer"),
        ("1:1 two\n", "line 1, item 1: could not convert"),
        ("1:1 2\n2\n", "line 2, item 2: 0 numbers where 2"),
        ("1:\n", "line 1, item 1: 0 numbers where some"),
        ("\x00\x80\n", "line 1: the id must be an integer"),
        ("", "holds no embedding"),
    ],
)
def test_faults_of_a_reference_file_are_named_by_line(text, message, tmp_path):
    (tmp_path / "t.txt").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=message):
        read_reference(tmp_path / "t.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: Word2vec's text format begins with"),
        ("1 0.5 0.5\n", "line 1: Word2vec's text format begins with"),
        ("2 2\n1 1 2\n", "announces 2 rows, 1 follow"),
        ("1 2\n1 1 2 3\n", "line 2, item 1: 3 numbers where 2"),
        ("2 2\n1 1 2\n1 1 2\n", "line 3: item 1 has a vector already, in line 2"),
    ],
)
def test_faults_of_a_word2vec_file_are_named_by_line(text, message, tmp_path):
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_word2vec(tmp_path / "t.txt")


def test_a_missing_file_and_an_empty_table(tmp_path):
    for _, read in FORMATS.values():
        with pytest.raises(DataError, match="nowhere"):
            read(tmp_path / "nowhere")
    write_word2vec(EmbeddingTable([], np.empty((0, 3))), tmp_path / "t.txt")
    assert read_word2vec(tmp_path / "t.txt").vectors.shape == (0, 3)


def test_a_failed_write_leaves_the_old_file(table, tmp_path, monkeypatch):
    write_reference(table, tmp_path / "t.txt")
    before = (tmp_path / "t.txt").read_bytes()
    broken = EmbeddingTable([1, 2], [[1.0], [2.0]])
    object.__setattr__(broken, "vectors", [[1.0], ["x"]])
    with pytest.raises(ValueError, match="format"):
        write_reference(broken, tmp_path / "t.txt")
    assert (tmp_path / "t.txt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["t.txt"]
