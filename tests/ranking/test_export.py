"""The exported model takes raw features and needs no library of ours."""

import subprocess
import sys

import numpy as np
import pytest

from recsys_lib.ranking import HISTORY, RankingConfig, TrainingConfig, train_model

SCORE = """
import sys, numpy as np, tensorflow as tf
raw = dict(np.load("raw.npz"))
serve = tf.saved_model.load("exported").signatures["serving_default"]
np.save("scores.npy", serve(**{n: tf.constant(v) for n, v in raw.items()})["like"].numpy())
print("recsys_lib" in sys.modules)
"""


def raw_features(model, samples) -> dict[str, np.ndarray]:
    """The samples as a service would send them: -1, '' and NaN for what is missing."""
    inputs, raw = model.inputs, {}
    for column in (*inputs.categories, *inputs.history):
        values = samples[column]
        if column.endswith("_id") or column in inputs.history:
            raw[column] = values.fillna(-1).to_numpy(np.int64)
        else:
            raw[column] = values.fillna("").to_numpy(np.str_)
    for column in inputs.bags:
        width = samples[column].map(len).max()
        raw[column] = np.array([[*x, *[""] * (width - len(x))] for x in samples[column]])
    for column in inputs.numbers:
        raw[column] = samples[column].to_numpy(np.float32, na_value=np.nan)
    return raw


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["embedding_mlp", "din"])
def test_a_fresh_process_gets_the_same_scores(kind, samples, tmp_path):
    bags = samples["item_id"].map(lambda item: ["red", "blue", "green"][: item % 4])
    rows = samples.assign(tags=bags, **{c: samples["item_id"].shift(k + 1) for k, c in
                                        enumerate(HISTORY)})  # fmt: skip
    config = RankingConfig(
        embedding_dim=4,
        hidden=(8,),
        training=TrainingConfig(epochs=2, patience=0, batch_size=64),
        **({"bags": ("tags",), "history": HISTORY} if kind == "din" else {}),
    )
    model = train_model(kind, rows[:400], config=config)
    judged = rows.copy()
    judged.loc[judged.index[::5], "user_id"] = 10**12  # unknown
    judged.loc[judged.index[::4], ["item_genre_1", "release_year", "user_rating_mean"]] = None
    np.savez(tmp_path / "raw.npz", **raw_features(model, judged))
    model.export(tmp_path / "exported")
    told = subprocess.run(
        [sys.executable, "-c", SCORE], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False"
    scores = np.load(tmp_path / "scores.npy")
    assert np.ptp(scores) > 0.01
    assert np.allclose(scores, model.predict(judged), rtol=0, atol=1e-6)
