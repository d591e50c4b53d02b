"""The numpy network is the Keras network."""

from dataclasses import replace

import numpy as np
import pytest

from recsys_lib.errors import DataError
from recsys_lib.rankers import NetworkRanker, score_samples
from recsys_lib.stores import ItemFeatureTable


def test_numpy_equals_keras(model, pairs):
    assert np.abs(score_samples(model, pairs) - model.predict(pairs)).max() < 1e-5


def test_numpy_equals_keras_on_unknown_and_missing_values(model, pairs):
    strange = pairs.assign(user_id=-1, item_genre_1="Musical", user_rating_mean=np.nan)
    assert np.abs(score_samples(model, strange) - model.predict(strange)).max() < 1e-5


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


def test_another_kind_of_model_is_refused(model, pairs):
    with pytest.raises(DataError, match="wide_deep"):
        score_samples(replace(model, kind="wide_deep"), pairs)
