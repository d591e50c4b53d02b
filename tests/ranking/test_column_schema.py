"""Training, predicting, saving and loading on a person's own table, with its own column names."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import roc_auc_score

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.ranking import (
    DinConfig,
    FeatureInputs,
    RankingConfig,
    RankingModel,
    Schema,
    TrainingConfig,
    evaluate_model,
    train_model,
)
from recsys_lib.ranking.column_schema import read_schema
from recsys_lib.seeding import generator

N, PLACES = 240, 3
TRAINING = TrainingConfig(batch_size=64, epochs=2, patience=0)
SMALL = RankingConfig(embedding_dim=4, hidden=(8,), training=TRAINING)
SCHEMA = Schema(
    label="clicked",
    user="uid",
    item="sku",
    timestamp="at",
    categories=["shop"],
    numbers=["price", "at"],
    log_numbers=["price"],
    bags=["tags"],
    history=["recent"],
)


@pytest.fixture(scope="module")
def clicks() -> pd.DataFrame:
    """A shop's clicks, with text ids, a history in lists, and a column with one of our names."""
    rng = generator(3, "clicks of a shop")
    sku = np.array([f"s{k}" for k in rng.integers(0, 20, N)])
    recent = [list(sku[rng.integers(0, N, k % (PLACES + 1))]) for k in range(N)]
    recent[5], recent[6], recent[7] = None, ["unheard of", sku[0]], [None, sku[1]]
    return pd.DataFrame(
        {
            "uid": [f"u{k}" for k in rng.integers(0, 15, N)],
            "sku": sku,
            "at": 1_000 + np.arange(N),
            "shop": rng.integers(1, 4, N),
            "price": rng.random(N) * 100,
            "tags": [["red", "blue"][: k % 3] for k in range(N)],
            "recent": recent,
            "clicked": (rng.random(N) < 0.5).astype(int),
            "label": "not what is learned",
        }
    )


@pytest.fixture(scope="module")
def model(clicks) -> RankingModel:
    return train_model("din", clicks, config=SMALL, seed=1, schema=SCHEMA)


def under_our_names(clicks: pd.DataFrame) -> tuple[pd.DataFrame, RankingConfig]:
    """The same table and settings as somebody would write them without a schema."""
    ours = clicks.drop(columns="label").rename(
        columns={"clicked": "label", "uid": "user_id", "sku": "item_id", "at": "timestamp"}
    )
    columns = ("sku_1", "sku_2", "sku_3")
    padded = [[*(recent or []), *[None] * PLACES][:PLACES] for recent in ours.pop("recent")]
    ours[list(columns)] = pd.DataFrame(padded, index=ours.index, dtype=object)
    config = replace(
        SMALL,
        categories=("item_id", "user_id", "shop"),
        numbers=("price", "timestamp"),
        log_numbers=("price",),
        bags=("tags",),
        history=columns,
    )
    return ours, config


def same_weights(one: RankingModel, other: RankingModel) -> bool:
    return one.weights.keys() == other.weights.keys() and all(
        np.array_equal(one.weights[name], other.weights[name]) for name in one.weights
    )


@pytest.mark.parametrize("kind", ["din", "wide_deep"])
def test_names_and_lists_change_nothing_that_is_learned(kind, clicks, model):
    """A schema with a column of lists is the library's names with a column for each place."""
    own = model if kind == "din" else train_model(kind, clicks, None, SMALL, 1, schema=SCHEMA)
    table, config = under_our_names(clicks)
    plain = train_model(kind, table, None, config, 1)
    assert same_weights(own, plain)
    assert_array_equal(own.predict(clicks), plain.predict(table))
    assert np.ptp(own.predict(clicks)) > 0


def test_saved_and_loaded_it_predicts_from_the_persons_table(model, clicks, tmp_path):
    model.save(tmp_path / "model")
    loaded = RankingModel.load(tmp_path / "model")
    assert loaded.schema == SCHEMA
    assert model.log is not None
    assert loaded.log is None
    without_label = clicks.drop(columns=["clicked", "label"]).assign(user_id="nobody")
    assert_array_equal(loaded.predict(without_label), model.predict(clicks))


def test_its_metrics_are_those_of_its_predictions(model, clicks):
    metrics = evaluate_model(model, clicks)
    assert metrics["rows"] == N
    assert metrics["auc"] == pytest.approx(roc_auc_score(clicks["clicked"], model.predict(clicks)))
    assert metrics["users_evaluated"] == 15
    assert metrics["unknown_item_id"] == 0
    strangers = clicks.assign(sku="new", uid=[None, "new"] * (N // 2))
    pieces = evaluate_model(model, (strangers[i : i + 100] for i in range(0, N, 100)))
    assert pieces == pytest.approx(evaluate_model(model, strangers))
    assert (pieces["unknown_item_id"], pieces["unknown_user_id"]) == (1, 1)


def test_of_a_long_history_the_latest_items_are_read(clicks):
    longer = clicks.assign(recent=[["s1", "s2", *["s3"] * 90] for _ in range(N)])
    table = SCHEMA.select(longer, ["item_id", "recent"])
    for most in (2, 50):
        inputs = FeatureInputs.fit(
            table, ["item_id"], [], True, history=["recent"], longest_history=most
        )
        assert inputs.history == {"recent": most}
        codes = inputs.encode(table).categories[:, 1:]
        known = inputs.vocabularies["item_id"]
        assert known[codes[0, :2] - 1].tolist() == ["s1", "s2"]
        assert codes.shape == (N, most)


def test_a_schema_without_ids_is_enough_for_all_that_a_table_can_do(clicks):
    schema = Schema(label="clicked", categories=["shop"], numbers=["price"])
    patient = SMALL.with_settings(epochs=3, patience=1)
    model = train_model("deep_crossing", clicks[:180], clicks[180:], patient, 1, schema=schema)
    assert model.config.columns == ["shop", "price"]
    assert len(model.log.validation_auc) == len(model.log.train_loss)
    assert "users_evaluated" not in evaluate_model(model, clicks)


def test_the_command_lines_json_is_the_same_type(tmp_path):
    described = {
        "label": "clicked", "user": "uid", "item": "sku", "timestamp": "at",
        "categories": ["shop"], "numbers": ["price", "at"], "log_numbers": ["price"],
        "bags": ["tags"], "history": ["recent"],
    }  # fmt: skip
    (tmp_path / "schema.json").write_text(json.dumps(described))
    assert read_schema(tmp_path / "schema.json") == SCHEMA


def test_a_column_may_have_a_role_and_be_an_input():
    schema = Schema(label="y", user="uid", item="sku", categories=["shop", "sku"], numbers=["at"],
                    timestamp="at")  # fmt: skip
    assert schema.inputs["categories"] == ("item_id", "user_id", "shop")
    assert schema.inputs["numbers"] == ("timestamp",)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"label": None}, "label must be a column, not None"),
        ({"user": 3}, "user must be a column, not 3"),
        ({"numbers": "price"}, "numbers must be a list of columns, not 'price'"),
        ({"bags": [3]}, "bags must be a list of columns"),
        ({"user": "clicked"}, "name one column"),
        ({"numbers": ["price", "clicked"]}, "label 'clicked' cannot be an input"),
        ({"user": "uid", "categories": ["user_id"]}, "rename 'user_id'"),
    ],
)
def test_what_is_no_schema_is_refused(wrong, says):
    with pytest.raises(DataError, match=says):
        Schema(**{"label": "clicked", **wrong})


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"numbers": ["prize"]}, "no column 'prize'. Did you mean 'price'"),
        ({"user": "uidd"}, "no column 'uidd'. Did you mean 'uid'"),
        ({"label": "cliked"}, "no column 'cliked'. Did you mean 'clicked'"),
        ({"label": "shop", "categories": []}, "Labels must be 0 or 1"),
        ({"numbers": ["tags"], "bags": []}, "Column tags does not hold numbers"),
        ({"bags": ["shop"], "categories": []}, "Column shop should hold lists, but holds"),
        ({"history": ["shop"]}, "Column shop holds whole numbers"),
        ({"item": None}, "A history needs item_id"),
        ({"history": []}, "reads the user's history"),
    ],
)
def test_what_does_not_fit_the_table_is_named(clicks, changed, says):
    with pytest.raises(RecsysError, match=says):
        train_model("din", clicks, config=SMALL, schema=replace(SCHEMA, **changed))


def test_a_table_without_a_column_of_training_is_refused(model, clicks):
    with pytest.raises(DataError, match="no column 'price'"):
        model.predict(clicks.drop(columns="price"))
    with pytest.raises(DataError, match="recent should hold lists, but holds 's1'"):
        model.predict(clicks.assign(recent="s1"))


def test_settings_are_changed_by_name():
    config = DinConfig().with_settings(attention_units=8, epochs=2, dropout=0, hidden=[4])
    assert (config.attention_units, config.training.epochs) == (8, 2)
    assert (config.dropout, config.hidden) == (0.0, (4,))
    with pytest.raises(RecsysError, match=r"no setting 'epoch'\. Did you mean 'epochs'"):
        config.with_settings(epoch=3)
    with pytest.raises(RecsysError, match=r"dropout must be a number in \[0, 1\), not 'much'"):
        config.with_settings(dropout="much")
