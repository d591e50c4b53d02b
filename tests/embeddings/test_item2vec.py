"""Item2vec: sequences, planted neighbours, reproducibility, faults."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
from planted import SMALL, interactions, planted_sequences

from recsys_lib.data.splits import both
from recsys_lib.embeddings import (
    NOTES_CONFIG,
    Item2vecConfig,
    build_item2vec,
    liked_sequences,
    train_item2vec,
)
from recsys_lib.embeddings import item2vec as module
from recsys_lib.errors import DataError, RecsysError


def test_liked_sequences_by_hand():
    frame = interactions(
        [
            (2, 10, 5, 300),
            (2, 11, 4, 100),
            (2, 12, 3, 200),  # not a like
            (1, 13, 3.5, 50),  # just a like
            (3, 14, 1, 60),  # a user without a like
        ]
    )
    assert [s.tolist() for s in liked_sequences(frame)] == [[13], [11, 10]]
    assert liked_sequences(frame.iloc[:0]) == []


def test_ties_in_time_depend_on_ids_not_on_rows():
    frame = interactions([(1, item, 5, 100) for item in range(50)])
    ordered = liked_sequences(frame)[0]
    shuffled = liked_sequences(frame.sample(frac=1, random_state=0))[0]
    np.testing.assert_array_equal(ordered, shuffled)
    assert abs(np.corrcoef(ordered, np.arange(50))[0, 1]) < 0.5


def test_planted_tastes_are_found():
    table = train_item2vec(planted_sequences(), SMALL, seed=1)
    for item in table.item_ids:
        nearest, _ = table.nearest(item, 5)
        assert (nearest // 10 == item // 10).all()


def test_only_items_with_company_get_a_vector():
    sequences = [np.array(s) for s in ([1, 2], [2, 1], [3], [], [2, 4])]
    config = dataclasses.replace(SMALL, epochs=1)
    assert train_item2vec(sequences, config, 0).item_ids.tolist() == [1, 2, 4]
    config = dataclasses.replace(config, min_count=2)
    assert train_item2vec(sequences, config, 0).item_ids.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("sequences", "min_count"), [([], 1), ([np.array([1])], 1), ([np.array([1, 2])], 2)]
)
def test_nothing_to_learn_from_is_a_named_error(sequences, min_count):
    with pytest.raises(DataError, match="sequences of two or more"):
        train_item2vec(sequences, dataclasses.replace(SMALL, min_count=min_count), 0)


def test_a_generator_is_refused():
    with pytest.raises(RecsysError, match="more than once"):
        train_item2vec((s for s in planted_sequences()), SMALL, 0)


def test_the_seed_decides():
    config = dataclasses.replace(SMALL, epochs=2)
    once, again, other = (
        train_item2vec(planted_sequences(), config, seed).vectors for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)


def test_vectors_do_not_depend_on_pythons_hash_seed():
    code = (
        "import numpy as np;"
        "from recsys_lib.embeddings import Item2vecConfig, train_item2vec;"
        "rng = np.random.default_rng(0);"
        "sequences = [rng.permutation(30)[:8] for _ in range(50)];"
        "table = train_item2vec(sequences, Item2vecConfig(8, 5, 2), 1);"
        "print(table.vectors.tobytes().hex(), hash('item'))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "2" if hash("item") % 2 else "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    vectors, hashed = other.stdout.split()
    rng = np.random.default_rng(0)
    sequences = [rng.permutation(30)[:8] for _ in range(50)]
    here = train_item2vec(sequences, Item2vecConfig(8, 5, 2), 1).vectors
    assert int(hashed) != hash("item")
    assert vectors == here.tobytes().hex()
    assert other.stderr == ""


def test_long_sequences_are_split_where_gensim_would_cut(monkeypatch):
    long = np.arange(25)
    monkeypatch.setattr(module, "LONGEST_SEQUENCE", 10)
    assert len(train_item2vec([long], dataclasses.replace(SMALL, epochs=1), 0)) == 25
    pieces = list(module._Sentences([long]))
    assert [len(piece) for piece in pieces] == [10, 10, 5]


def test_gensim_still_cuts_where_we_think():
    from gensim.models.word2vec import MAX_WORDS_IN_BATCH

    assert module.LONGEST_SEQUENCE == MAX_WORDS_IN_BATCH


def test_build_learns_from_what_precedes_the_test_part():
    rng = np.random.default_rng(0)
    rows = [
        (user, item, rng.choice([2, 5]), when)
        for user in range(40)
        for when, item in enumerate(rng.permutation(30) + 100)
    ]
    splits = both(interactions(rows))
    config = dataclasses.replace(SMALL, epochs=1)
    tables = build_item2vec(splits, config, seed=5)
    assert set(tables) == {"last_likes", "by_time"}
    for name, split in splits.items():
        expected = train_item2vec(liked_sequences(split.history("test")), config, 5)
        np.testing.assert_array_equal(tables[name].vectors, expected.vectors)


@pytest.mark.parametrize(
    "wrong",
    [
        {"embedding_dim": 0},
        {"window": 2.5},
        {"epochs": True},
        {"negatives": -1},
        {"downsample_above": 1.0},
        {"learning_rate": 0.0},
    ],
)
def test_a_wrong_setting_is_named(wrong):
    (name,) = wrong
    with pytest.raises(RecsysError, match=name):
        Item2vecConfig(**wrong)


def test_the_notes_setting():
    """S7: vector size 10, window 5, 10 iterations."""
    assert (NOTES_CONFIG.embedding_dim, NOTES_CONFIG.window, NOTES_CONFIG.epochs) == (10, 5, 10)
