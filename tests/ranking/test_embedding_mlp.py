"""The notes' network: its settings, its training, and that it can be scored elsewhere."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.ranking import (
    RankingConfig,
    RankingModel,
    TrainingConfig,
    build_models,
    notes_config,
    train_model,
)


def test_the_notes_specification():
    config = notes_config()
    assert len(config.categories) == 10
    assert len(config.numbers) == 7
    assert (config.embedding_dim, config.hidden) == (10, (128, 128))
    assert (config.training.batch_size, config.training.epochs) == (12, 10)
    assert not config.standardize
    assert config.id_dropout == 0


def test_the_same_seed_gives_the_same_model_and_another_seed_another(samples, small_config, model):
    again = train_model("embedding_mlp", samples, config=small_config, seed=1)
    other = train_model("embedding_mlp", samples, config=small_config, seed=2)
    assert all(np.array_equal(again.weights[name], model.weights[name]) for name in model.weights)
    assert not np.array_equal(other.weights["like/kernel"], model.weights["like/kernel"])


def test_early_stopping_keeps_the_best_epoch(samples, small_config):
    train, validation = samples[:400], samples[400:]
    patient = replace(small_config, training=TrainingConfig(batch_size=64, epochs=30, patience=2))
    model = train_model("embedding_mlp", train, validation, patient, seed=1)
    log = model.log
    assert log.best_epoch == int(np.argmax(log.validation_auc)) + 1
    assert len(log.train_loss) == min(30, log.best_epoch + 2)
    # Its weights are those of that epoch: training again for as long gives the same predictions.
    short = train_model("embedding_mlp", train, config=patient.fixed_epochs(log.best_epoch), seed=1)
    assert np.allclose(short.predict(validation), model.predict(validation), atol=1e-6)


@pytest.mark.slow
def test_hidden_ids_make_the_network_lean_on_them_less(samples, small_config):
    # With ids hidden nearly always, exchanging the ids changes predictions less than without.
    moved = samples.assign(user_id=samples["user_id"].to_numpy()[::-1])
    changes = []
    for rate in (0.0, 0.95):
        config = replace(small_config, id_dropout=rate, dropout=0.0, embedding_l2=0.0)
        config = config.fixed_epochs(30)
        model = train_model("embedding_mlp", samples, config=config, seed=1)
        changes.append(np.abs(model.predict(moved) - model.predict(samples)).mean())
    assert changes[1] < 0.7 * changes[0]


@pytest.mark.slow
def test_build_trains_on_what_each_part_allows(small_config, samples):
    parts = np.repeat(["train", "validation", "test"], [300, 150, 150])
    framed = samples.assign(part=parts)
    framed.loc[framed["part"] == "test", "user_id"] += 1_000  # ids only the test part has
    built = build_models(
        {"by_time": framed, "last_likes": framed[framed["part"] != "test"]}, small_config
    )
    assert set(built) == {"by_time", "by_time_train", "last_likes", "last_likes_train"}
    for model in built.values():
        assert model.inputs.vocabularies["user_id"].max() < 1_000
    same = built["by_time"].predict(samples), built["last_likes"].predict(samples)
    assert np.array_equal(*same)


@pytest.mark.parametrize("wrong", [{"id_dropout": 1.0}, {"embedding_dim": 0}, {"hidden": (0,)}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(RecsysError):
        RankingConfig(**wrong)


def test_one_class_of_labels_is_refused_before_training(samples, small_config):
    with pytest.raises(DataError, match="likes and dislikes"):
        train_model("embedding_mlp", samples.assign(label=0), config=small_config)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(DataError, match="No ranking model can be read"):
        RankingModel.load(tmp_path)


@pytest.mark.parametrize("name", ["weights.npz", "inputs.npz", "model.json"])
@pytest.mark.parametrize("damage", ["half", "empty", "missing", "something else"])
def test_a_damaged_model_is_named(model, tmp_path, name, damage):
    model.save(tmp_path / "model")
    path = tmp_path / "model" / name
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"half": whole[: len(whole) // 2], "empty": b""}.get(damage, b"{}"))
    with pytest.raises(DataError, match="No ranking model can be read from"):
        RankingModel.load(tmp_path / "model")


def test_a_model_of_an_unknown_kind_is_refused(model, tmp_path):
    model.save(tmp_path / "model")
    described = json.loads((tmp_path / "model" / "model.json").read_text())
    (tmp_path / "model" / "model.json").write_text(
        json.dumps({**described, "kind": "embeding_mlp"})
    )
    with pytest.raises(DataError, match="embedding_mlp"):
        RankingModel.load(tmp_path / "model")


def test_loading_and_scoring_need_no_tensorflow(model, samples, tmp_path):
    model.save(tmp_path / "model")
    samples.to_parquet(tmp_path / "samples.parquet")
    code = (
        "import sys, numpy, pandas\n"
        "from recsys_lib.ranking import RankingModel\n"
        "from recsys_lib.rankers import score_samples\n"
        "model = RankingModel.load('model')\n"
        "numpy.save('scores.npy', score_samples(model, pandas.read_parquet('samples.parquet')))\n"
        "print(*({'tensorflow', 'keras'} & set(sys.modules)))\n"
    )
    fresh = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert fresh.stdout.strip() == ""
    assert np.allclose(np.load(tmp_path / "scores.npy"), model.predict(samples), atol=1e-5)
