"""Every trained embedding stays, by version."""

import subprocess
import sys

import numpy as np
import pytest

from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import DataError
from recsys_lib.stores import EmbeddingHistory


def table_of(seed: int, dim: int = 3) -> EmbeddingTable:
    vectors = np.random.default_rng(seed).normal(size=(5, dim)).astype(np.float32)
    return EmbeddingTable(np.arange(5), vectors)


@pytest.fixture
def history(tmp_path, clock) -> EmbeddingHistory:
    return EmbeddingHistory(tmp_path / "history", clock)


def test_every_version_comes_back_bit_for_bit(history, clock):
    tables = [table_of(seed, dim) for seed, dim in ((1, 3), (2, 3), (3, 7))]
    versions = []
    for table in tables:
        clock.now += 1
        versions.append(history.add("item2vec.last_likes", table, seed=len(versions)))
    for version, table in zip(versions, tables, strict=True):
        kept = history.load("item2vec.last_likes", version)
        assert np.array_equal(kept.item_ids, table.item_ids)
        assert kept.vectors.tobytes() == table.vectors.tobytes()
    assert history.load("item2vec.last_likes").embedding_dim == 7
    known = history.versions("item2vec.last_likes")
    assert known["version"].tolist() == versions
    assert known["made"].tolist() == [{"seed": 0}, {"seed": 1}, {"seed": 2}]
    assert known["created"].tolist() == [clock.now - 2, clock.now - 1, clock.now]
    assert (known["bytes"] > 5 * 3 * 4).all()
    assert history.names() == ["item2vec.last_likes"]


def test_the_same_vectors_are_one_version(history, clock):
    first = history.add("deepwalk", table_of(1), run="a")
    clock.now += 9
    assert history.add("deepwalk", table_of(1), run="b") == first
    assert history.versions("deepwalk")["made"].tolist() == [{"run": "a"}]
    # The same numbers in another shape are other vectors.
    flat = EmbeddingTable(np.arange(3), table_of(1).vectors.reshape(3, 5))
    assert history.add("deepwalk", flat) != first


def test_what_is_not_there_is_named(history):
    history.add("item2vec", table_of(1))
    with pytest.raises(DataError, match="Did you mean 'item2vec'"):
        history.load("item3vec")
    with pytest.raises(DataError, match="no version 'abc'"):
        history.load("item2vec", "abc")
    with pytest.raises(DataError, match="no name for an embedding"):
        history.add("../elsewhere", table_of(1))
    assert len(history.versions("nothing")) == 0


def test_a_killed_writer_leaves_no_version_and_is_swept(tmp_path, history):
    code = (
        "import os, sys\n"
        "import numpy as np\n"
        "from recsys_lib import files\n"
        "from recsys_lib.embeddings import EmbeddingTable\n"
        "from recsys_lib.stores import EmbeddingHistory\n"
        "files.write_json = lambda *_: os.kill(os.getpid(), 9)\n"
        "table = EmbeddingTable(np.arange(5), np.ones((5, 3), np.float32))\n"
        "EmbeddingHistory(sys.argv[1]).add('item2vec', table)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "history")], timeout=60)
    assert killed.returncode == -9
    assert len(history.versions("item2vec")) == 0
    version = history.add("item2vec", table_of(1))
    assert [path.name for path in (tmp_path / "history" / "item2vec").iterdir()] == [version]
