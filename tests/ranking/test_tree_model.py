"""Boosted trees as data predict what scikit-learn's own predict, and come back from disk."""

import numpy as np
import pandas as pd
import pytest
from made_samples import make_samples

from recsys_lib.errors import DataError
from recsys_lib.evaluation import auc
from recsys_lib.ranking import BoostedTrees, RankingConfig, Schema, train_trees
from recsys_lib.ranking.boosted_trees import _grow
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.tree_model import tree_table

CONFIGS = {
    "few categories": RankingConfig(history=()),
    "bags and histories": RankingConfig(bags=("item_title_words",), history=("user_liked_item_1",)),
    "categories alone": RankingConfig(numbers=(), log_numbers=(), history=()),
    # Nothing is divided: each of the ids has more values than scikit-learn can divide.
    "many ids": RankingConfig(categories=("item_id", "user_id"), history=()),
}


def samples_of(name: str) -> pd.DataFrame:
    samples = make_samples(600)
    if name == "many ids":
        rows = np.arange(len(samples))
        samples = samples.assign(item_id=rows, user_id=1_000_000 - rows)
    return samples


@pytest.mark.parametrize("name", CONFIGS)
def test_trees_as_data_predict_what_scikit_learn_predicts(name):
    samples = samples_of(name)
    inputs = inputs_for(CONFIGS[name], samples)
    table, labels = tree_table(inputs, samples), samples["label"].to_numpy()
    grown = _grow(inputs, table, labels, 30, 1, 0.1, 15)
    trees = BoostedTrees.of(inputs, grown)
    # Further rows bring values that were never seen, and all that may be missing.
    further = make_samples(9_000, seed=8)
    further.loc[further.index[::5], "user_genre_1"] = "Western"
    further.loc[further.index[::3], "item_rating_mean"] = np.nan
    for rows in (samples, further):
        expected = grown.predict_proba(tree_table(inputs, rows))[:, 1]
        np.testing.assert_allclose(trees.predict(rows), expected, rtol=0, atol=1e-12)
    assert (trees.nodes["division"] >= 0).any() == (name != "many ids")
    assert trees.predict(samples[:0]).shape == (0,)


def test_as_many_trees_are_kept_as_validation_likes():
    samples = make_samples(900)
    train, validation, test = samples[:400], samples[400:650], samples[650:]
    config = RankingConfig(history=())
    kept = train_trees(train, validation, config, most_trees=80)
    whole = train_trees(train, config=config, most_trees=80)
    assert len(kept.roots) < len(whole.roots) == 80
    of_kept, of_whole = (auc(validation["label"], m.predict(validation)) for m in (kept, whole))
    assert of_kept > of_whole
    assert auc(test["label"], kept.predict(test)) > 0.7


def test_a_table_of_ones_own_and_a_round_trip(tmp_path):
    samples = make_samples(500)
    own = pd.DataFrame(
        {
            "who": [f"u{user}" for user in samples["user_id"]],
            "what": [f"i{item}" for item in samples["item_id"]],
            "stars": samples["item_rating_mean"],
            "kind": samples["item_genre_1"],
            "clicked": samples["label"],
        }
    )
    schema = Schema(
        label="clicked", user="who", item="what", numbers=["stars"], categories=["kind"]
    )
    trees = train_trees(own, schema=schema, most_trees=20)
    trees.save(tmp_path / "trees")
    loaded = BoostedTrees.load(tmp_path / "trees")
    np.testing.assert_array_equal(loaded.predict(own), trees.predict(own))
    assert {path.suffix for path in (tmp_path / "trees").iterdir()} <= {".json", ".npz", ""}
    with pytest.raises(DataError, match="no column 'stars'"):
        loaded.predict(own.rename(columns={"stars": "stras"}))


@pytest.mark.parametrize("damage", ["trees.json", "trees.npz", "inputs.npz"])
def test_damaged_trees_are_refused(tmp_path, damage):
    folder = tmp_path / "trees"
    train_trees(make_samples(200), most_trees=3).save(folder)
    content = (folder / damage).read_bytes()
    (folder / damage).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="No boosted trees can be read"):
        BoostedTrees.load(folder)
