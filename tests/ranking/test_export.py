"""The exported model takes raw features and needs no library of ours."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from family import *  # noqa: F403
from family import untrained

from recsys_lib.errors import DataError
from recsys_lib.file_list import FILE_LIST, verify_files
from recsys_lib.ranking import HISTORY, KINDS, Schema
from recsys_lib.ranking.export import (
    WARM_UP_FILE,
    example_of,
    export_version,
    largest_difference,
)
from recsys_lib.ranking.raw_features import raw_columns, raw_features

GENRES = [f"{who}_genre_{k}" for who in ("user", "item") for k in (1, 2, 3, 4, 5)]
SCORE = """
import sys, numpy as np, tensorflow as tf
raw = dict(np.load("raw.npz"))
serve = tf.saved_model.load("exported").signatures["serving_default"]
np.save("scores.npy", serve(**{n: tf.constant(v) for n, v in raw.items()})["like"].numpy())
print("recsys_lib" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_network_of_the_family_gives_the_same_scores(kind, rows, asked, tmp_path):
    from recsys_lib.model_server.servable import Servable

    model = untrained(kind, rows)
    model.export(tmp_path / "1")
    servable = Servable(kind, 1, tmp_path / "1")
    raw = raw_features(raw_columns(model.inputs), asked)
    scores = servable.predict("serving_default", as_bytes(raw))["like"]
    assert np.ptp(scores) > 0.01
    assert np.abs(scores - model.predict(asked)).max() < 1e-6
    servable.close()


def as_bytes(raw):
    """Texts as a server gets them."""
    encode = np.vectorize(str.encode, otypes=[object])
    return {n: encode(v) if v.dtype == object else v for n, v in raw.items()}


def test_a_persons_own_names_are_those_of_the_export(rows, asked, tmp_path):
    from recsys_lib.model_server.servable import Servable

    schema = Schema(label="label", user="uid", item="sku", history=HISTORY, bags=["tags"])
    model = replace(untrained("embedding_mlp", rows), schema=schema)
    theirs = asked.rename(columns={"user_id": "uid", "item_id": "sku"})
    model.export(tmp_path / "1", theirs[:3])
    assert largest_difference(model, tmp_path / "1", theirs) < 1e-6
    servable = Servable("m", 1, tmp_path / "1")
    assert {"uid", "sku", "tags"} < set(servable.input_dtypes("serving_default"))
    servable.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["embedding_mlp", "dien"])
def test_a_history_in_one_column_of_lists(kind, rows, tmp_path):
    lists = [[x for x in row if x == x] for row in rows[list(HISTORY)].to_numpy(float).tolist()]
    recent = rows.assign(recent=[[int(x) for x in liked] for liked in lists])
    model = untrained(kind, recent, history=("recent",))
    model.export(tmp_path / "1")
    assert largest_difference(model, tmp_path / "1", recent) < 1e-6


def test_examples_are_regressed_and_classified(rows, asked, tmp_path):
    from recsys_lib.model_server.servable import Servable

    model = untrained("din", rows)
    model.export(tmp_path / "1")
    servable = Servable("din", 1, tmp_path / "1")
    raw = raw_features(raw_columns(model.inputs), asked)
    examples = [example_of(raw, row) for row in range(len(asked))]
    for example in examples[::2]:  # what is missing may be left out
        for column in ("user_rating_mean", "item_genre_1"):
            values = example.features.feature[column]
            if values.float_list.value[:1] != values.float_list.value[:1]:
                del example.features.feature[column]
    serialised = [example.SerializeToString() for example in examples]
    expected = model.predict(asked)
    assert np.abs(servable.regress("regress", serialised) - expected).max() < 1e-6
    for row, p in zip(servable.classify("classify", serialised), expected, strict=True):
        assert [label for label, _ in row] == ["dislike", "like"]
        assert np.allclose([score for _, score in row], [1 - p, p], atol=1e-6)
    servable.close()


@pytest.mark.slow
def test_a_fresh_process_needs_no_library_of_ours(rows, asked, tmp_path):
    model = untrained("din", rows)
    raw = raw_features(raw_columns(model.inputs), asked)
    texts = {n: v.astype(np.str_) if v.dtype == object else v for n, v in raw.items()}
    np.savez(tmp_path / "raw.npz", **texts)
    model.export(tmp_path / "exported")
    done = subprocess.run(
        [sys.executable, "-c", SCORE], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
    scores = np.load(tmp_path / "scores.npy")
    assert np.abs(scores - model.predict(asked)).max() < 1e-6


def test_versions_count_up_and_carry_what_a_server_needs(rows, asked, tmp_path):
    model = untrained("logistic_regression", rows)
    (tmp_path / "m" / "4").mkdir(parents=True)
    (tmp_path / "m" / "notes").mkdir()
    assert export_version(model, tmp_path / "m", asked[:8]) == 5
    folder = tmp_path / "m" / "5"
    assert (folder / WARM_UP_FILE).stat().st_size > 0
    verify_files(folder)
    assert [p.name for p in (tmp_path / "m").iterdir() if p.name.startswith(".")] == []
    changed = folder / "saved_model.pb"
    changed.write_bytes(changed.read_bytes().replace(b"Comedy", b"Tragic"))
    with pytest.raises(DataError, match=r"saved_model\.pb is missing or has changed"):
        verify_files(folder)
    (folder / FILE_LIST).write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        verify_files(folder)


def test_raw_features_refuse_what_is_no_sample(rows):
    inputs = untrained("logistic_regression", rows).inputs
    with pytest.raises(DataError, match="lack the column item_id"):
        raw_features(raw_columns(inputs), rows.drop(columns="item_id"))
    with pytest.raises(DataError, match="Column user_id holds no values of int64"):
        raw_features(raw_columns(inputs), rows.assign(user_id="ann"))


def test_no_samples_no_warm_up(rows, tmp_path):
    model = untrained("logistic_regression", rows)
    with pytest.raises(DataError, match="no sample to warm the model up"):
        model.export(tmp_path / "1", rows[:0])
    assert not (tmp_path / "1").exists()


def test_a_column_without_a_value_is_exported(rows, asked, tmp_path):
    """A set of films without genres leaves a table without keys, which TensorFlow does not make."""
    model = untrained("embedding_mlp", rows.assign(**dict.fromkeys(GENRES)))
    assert any(not len(values) for values in model.inputs.vocabularies.values())
    model.export(tmp_path / "1", asked[:3])
    assert largest_difference(model, tmp_path / "1", asked) < 1e-6
