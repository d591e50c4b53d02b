"""The exported model takes raw features under the table's names and needs no library of ours."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from recsys_lib.ranking import (
    CATEGORIES,
    HISTORY,
    NUMBERS,
    RankingConfig,
    RankingModel,
    Schema,
    TrainingConfig,
    train_model,
)

SMALL = RankingConfig(
    embedding_dim=4,
    hidden=(8,),
    training=TrainingConfig(epochs=2, patience=0, batch_size=64),
)
SCORE = """
import sys, numpy as np, tensorflow as tf
for name in sys.argv[1:]:
    raw = dict(np.load(f"{name}.npz"))
    serve = tf.saved_model.load(name).signatures["serving_default"]
    scores = serve(**{n: tf.constant(v) for n, v in raw.items()})["like"]
    np.save(f"{name}.npy", scores.numpy())
print("recsys_lib" in sys.modules)
"""


@pytest.fixture(scope="module")
def table(samples) -> pd.DataFrame:
    """Samples with a person's names, a bag, and a history in both forms."""
    items = samples["item_id"]
    numbered = {column: items.shift(place + 1) for place, column in enumerate(HISTORY)}
    return samples.rename(columns={"user_id": "uid", "item_id": "sku"}).assign(
        **numbered,
        tags=items.map(lambda item: ["red", "blue", "green"][: item % 4]),
        recent=[items.to_list()[max(0, row - row % 4) : row] for row in range(len(items))],
    )


def train(name: str, table: pd.DataFrame) -> RankingModel:
    history = HISTORY if name == "numbered" else ["recent"]
    schema = Schema(
        label="label",
        user="uid",
        item="sku",
        categories=CATEGORIES[2:],
        numbers=NUMBERS,
        bags=["tags"] if name == "lists" else [],
        history=history,
    )
    kind = "din" if name == "lists" else "embedding_mlp"
    return train_model(kind, table[:400], config=SMALL, schema=schema)


def raw_features(model: RankingModel, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The samples as a service would send them: -1, '' and NaN for what is missing."""
    raw = {}
    for column in (model.schema.renamed.get(c, c) for c in model.inputs.columns):
        values = table[column]
        if isinstance(values.iloc[0], list):
            width = values.map(len).max()
            filler = "" if column == "tags" else -1
            raw[column] = np.array([[*x, *[filler] * (width - len(x))] for x in values])
        elif column in model.inputs.numbers:
            raw[column] = values.to_numpy(np.float32, na_value=np.nan)
        elif pd.api.types.is_numeric_dtype(values):
            raw[column] = values.fillna(-1).to_numpy(np.int64)
        else:
            raw[column] = values.fillna("").to_numpy(np.str_)
    return raw


@pytest.mark.slow
def test_a_fresh_process_gets_the_same_scores(table, tmp_path):
    later = table.copy()
    later.loc[later.index[::5], "uid"] = 10**12  # unknown
    later.loc[later.index[::4], ["item_genre_1", "release_year", "user_rating_mean"]] = None
    models = {name: train(name, table) for name in ("numbered", "lists")}
    for name, model in models.items():
        np.savez(tmp_path / f"{name}.npz", **raw_features(model, later))
        model.export(tmp_path / name)
    fresh = subprocess.run(
        [sys.executable, "-c", SCORE, *models], cwd=tmp_path, capture_output=True, text=True
    )
    assert fresh.returncode == 0, fresh.stderr[-2_000:]
    assert fresh.stdout.strip() == "False"
    for name, model in models.items():
        scores = np.load(tmp_path / f"{name}.npy")
        assert np.ptp(scores) > 0.01
        assert np.allclose(scores, model.predict(later), rtol=0, atol=1e-6)
