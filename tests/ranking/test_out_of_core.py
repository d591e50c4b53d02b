"""Samples from files: the same rows and the same inputs, in memory or not."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.ranking import labels_of, train_model
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.out_of_core import (
    SampleStream,
    count_parts,
    frames_of,
    train_on_source,
)
from recsys_lib.ranking.sample_files import open_source
from recsys_lib.ranking.sample_split import TRAIN, VALIDATION, split_samples


@pytest.fixture(scope="module")
def timed(samples):
    return samples.assign(timestamp=np.arange(len(samples))[::-1] // 2)


@pytest.fixture
def source(timed, tmp_path):
    for place, month in enumerate(np.array_split(np.arange(len(timed)), 3)):
        folder = tmp_path / "samples" / f"event_month=1998-0{place + 1}"
        folder.mkdir(parents=True)
        timed.iloc[month].to_parquet(folder / "part.parquet", row_group_size=40)
    return open_source(tmp_path)


def rows_of(chunks) -> np.ndarray:
    """All samples of all chunks as sorted rows: what a pass sees, whatever the order."""
    rows = np.concatenate([np.column_stack([*samples, labels]) for samples, labels in chunks])
    return rows[np.lexsort(rows.T)]


def test_streamed_samples_and_inputs_are_those_in_memory(source, timed, small_config):
    parts = split_samples(source)
    train = timed[timed["timestamp"] < 270]
    inputs = inputs_for(small_config, frames_of(source, parts, TRAIN, small_config.columns))
    expected = inputs_for(small_config, train)
    assert inputs.sizes == expected.sizes
    for name, known in expected.vocabularies.items():
        assert np.array_equal(inputs.vocabularies[name], known)
    for moment in ("fill", "shift", "scale"):
        assert np.allclose(getattr(inputs, moment), getattr(expected, moment), rtol=1e-12)
    chunks = SampleStream(source, parts, TRAIN, inputs, rows=150)
    assert len(chunks) == 4
    in_memory = inputs.encode(train), labels_of(train)
    assert np.array_equal(rows_of(chunks), rows_of([in_memory]))


def test_in_memory_it_is_train_model(source, timed, small_config):
    model = train_on_source("embedding_mlp", source, split_samples(source), small_config, seed=1)
    late = timed["timestamp"] >= 270
    ours = train_model("embedding_mlp", timed[~late], timed[late], small_config, seed=1)
    assert np.allclose(model.log.validation_auc, ours.log.validation_auc, atol=1e-6)
    assert np.allclose(model.predict(timed), ours.predict(timed), atol=1e-6)


def test_a_streamed_training_learns_and_repeats_itself(source, small_config):
    runs = [
        train_on_source("embedding_mlp", source, split_samples(source),
                        small_config.fixed_epochs(3), rows=150)
        for _ in range(2)
    ]  # fmt: skip
    assert all(np.array_equal(w, runs[1].weights[name]) for name, w in runs[0].weights.items())


def test_only_the_chunk_in_use_and_the_next_are_read(source, small_config, monkeypatch):
    from recsys_lib.ranking.training import _read_ahead

    asked = []

    class Counted(list):
        def __getitem__(self, place):
            asked.append(place)
            return super().__getitem__(place)

    order = np.array([2, 0, 1, 3])
    for number, chunk in enumerate(_read_ahead(Counted("abcd"), order), start=1):
        assert chunk == "abcd"[order[number - 1]]
        assert len(asked) <= number + 1
    assert asked == [2, 0, 1, 3]


def test_a_part_column_decides_before_time(timed, tmp_path):
    parts = np.repeat(["test", "train", "validation"], 200)
    timed.assign(part=parts).to_parquet(tmp_path / "s.parquet")
    source = open_source(tmp_path / "s.parquet")
    assert count_parts(source, split_samples(source)) == {
        "train": 200,
        "validation": 200,
        "test": 200,
    }


def test_a_random_split_is_seeded_and_does_not_depend_on_the_pieces(samples, tmp_path):
    samples.to_parquet(tmp_path / "one.parquet")
    samples.to_parquet(tmp_path / "many.parquet", row_group_size=50)
    chosen = []
    for name, seed in (("one", 1), ("many", 1), ("one", 2)):
        source = open_source(tmp_path / f"{name}.parquet")
        parts = split_samples(source, 0.1, 0.2, seed)
        frames = frames_of(source, parts, VALIDATION, ["user_id", "item_id"])
        chosen.append(pd.concat(frames, ignore_index=True))
    assert 30 < len(chosen[0]) < 90
    assert chosen[0].equals(chosen[1])
    assert not chosen[0].equals(chosen[2])


def test_shares_that_leave_nothing_are_refused(source):
    with pytest.raises(RecsysError, match="leave something to train on"):
        split_samples(source, 0.5, 0.5)


def test_an_empty_validation_part_is_refused(timed, tmp_path, small_config):
    from dataclasses import replace

    timed.assign(part="train").to_parquet(tmp_path / "s.parquet")
    source = open_source(tmp_path / "s.parquet")
    patient = replace(small_config, training=replace(small_config.training, patience=2))
    with pytest.raises(DataError, match="no validation samples"):
        train_on_source("embedding_mlp", source, split_samples(source), patient)


def test_labels_of_one_class_are_refused(timed, tmp_path, small_config):
    timed.assign(label=1).to_parquet(tmp_path / "s.parquet")
    source = open_source(tmp_path / "s.parquet")
    with pytest.raises(DataError, match="likes and dislikes"):
        train_on_source("embedding_mlp", source, split_samples(source), small_config)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.csv", None, "There are no samples at"),
        ("empty.csv", b"", "is empty"),
        ("header.csv", b"label,user_id\n", "holds no samples"),
        ("broken.parquet", b"PAR1 no", "cannot be read as Parquet"),
        ("binary.csv", b"\xff\xfe\x00,\n", "is not utf-16"),
    ],
)
def test_unreadable_files_are_named(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says):
        open_source(tmp_path / name)


def test_a_misspelt_column_names_the_right_one(source):
    with pytest.raises(DataError, match="item_genre_1"):
        list(source.read(["item_gener_1"]))


def test_texts_where_training_had_numbers_are_refused(model, samples):
    with pytest.raises(DataError, match="user_id holds texts"):
        model.predict(samples.assign(user_id="u" + samples["user_id"].astype(str)))
