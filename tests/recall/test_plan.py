"""A plan is plain data, and becomes the merge it describes."""

import json

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.recall import (
    Ease,
    Merged,
    VectorRecaller,
    default_plan,
    make_channel,
    recallers_from_plan,
)
from recsys_lib.recall.plan import RULES

PLAN = {
    "channels": {"ease": 2.0, "item2vec": 1.0},
    "settings": {"ease": {"regularization": 20.0}},
    "fusion": "rank",
    "candidates": 25,
}


def test_the_plan_becomes_its_merge(interactions, items, table):
    built = recallers_from_plan(PLAN, items, interactions, {"item2vec": table})
    by_hand = Merged(
        {"ease": Ease(regularization=20.0), "item2vec": VectorRecaller(table)},
        {"ease": 2.0, "item2vec": 1.0},
        fusion="rank",
        depth=25,
    ).fit(interactions)
    users = interactions["user_id"].unique()
    for got, want in zip(
        built.recommend_with_channels(users, 25),
        by_hand.recommend_with_channels(users, 25),
        strict=True,
    ):
        np.testing.assert_array_equal(got, want)


def test_the_default_plan_is_plain_and_works(interactions, items, table):
    plan = default_plan()
    assert json.loads(json.dumps(plan)) == plan
    tables = {"item2vec": table, "deepwalk": table}
    merged = recallers_from_plan(plan, items, interactions, tables)
    assert merged.channels.keys() == plan["channels"].keys()
    item_ids, _ = merged.recommend(interactions["user_id"][:3], 5)
    assert (item_ids >= 0).all()


def test_every_rule_can_be_made_and_fitted(interactions, items):
    users = interactions["user_id"].unique()
    for name in RULES:
        item_ids, _ = make_channel(name, items, {}).fit(interactions).recommend(users, 3)
        assert (item_ids >= 0).any(), name


def test_an_unknown_channel_is_refused_with_the_nearest_known(items, table):
    with pytest.raises(RecsysError, match=r"'item_knm'\. Did you mean 'item_knn'\?"):
        make_channel("item_knm", items, {"item2vec": table})
