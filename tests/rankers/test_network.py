"""The numpy network is the Keras network."""

from dataclasses import replace

import numpy as np
import pytest
from family import *  # noqa: F403
from family import untrained

from recsys_lib.rankers import NetworkRanker, UserFeatureTable, score_samples
from recsys_lib.ranking import KINDS
from recsys_lib.stores import ItemFeatureTable


def test_numpy_equals_keras(model, pairs):
    assert np.abs(score_samples(model, pairs) - model.predict(pairs)).max() < 1e-6


def test_numpy_equals_keras_on_unknown_and_missing_values(model, pairs):
    strange = pairs.assign(user_id=-1, item_genre_1="Musical", user_rating_mean=np.nan)
    assert np.abs(score_samples(model, strange) - model.predict(strange)).max() < 1e-6


def test_one_user_and_items_equal_the_joined_table(model, users, item_frame, pairs, store):
    ranker = NetworkRanker(model, ItemFeatureTable(item_frame), store)
    expected = score_samples(model, pairs).reshape(len(users), len(item_frame))
    for user_id, scores in zip(users["user_id"], expected, strict=True):
        read = ranker.score_items(store.read(user_id), item_frame["item_id"].to_numpy())
        assert np.abs(read - scores).max() < 1e-6


def test_extreme_weights_give_probabilities_still(model, pairs):
    big = {name: array * 100 for name, array in model.weights.items()}
    with np.errstate(all="raise", under="ignore"):
        scores = score_samples(replace(model, weights=big), pairs)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_no_candidates_no_scores(model, item_frame, store):
    ranker = NetworkRanker(model, ItemFeatureTable(item_frame), store)
    assert ranker.score_items({"user_id": 10}, np.empty(0, np.int64)).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_every_network_scores_one_user_as_it_scores_the_table(kind, rows):
    """With lists of words and a history, which come from the item and from the user."""
    model = untrained(kind, rows)
    of_item = [c for c in rows if c.startswith("item") or c in ("release_year", "tags")]
    items = rows[of_item].drop_duplicates("item_id")
    users = rows[[c for c in rows if c.startswith("user")]].drop_duplicates("user_id")
    ranker = NetworkRanker(model, ItemFeatureTable(items), UserFeatureTable(users))
    for user_id in users["user_id"][:3]:
        user = ranker.users.read(user_id)
        found = ranker.score_items(user, items["item_id"].to_numpy())
        table = items.assign(**{c: [user.get(c)] * len(items) for c in users.columns})
        assert np.abs(found - model.predict(table)).max() < 1e-6
