"""A plan is plain data, and becomes the merge it describes."""

import json

import numpy as np
import pytest

from recsys_lib.data.splits import Split
from recsys_lib.errors import RecsysError
from recsys_lib.recall import (
    Ease,
    Merged,
    TunedMerge,
    VectorRecaller,
    default_plan,
    feasible,
    make_channel,
    merge_from_plan,
)
from recsys_lib.recall.build import build_recallers
from recsys_lib.recall.registry import channel_names

PLAN = {
    "channels": {"ease": 2.0, "item2vec": 1.0},
    "settings": {"ease": {"regularization": 20.0}},
    "fusion": "rank",
    "candidates": 25,
}


def test_the_plan_becomes_its_merge(interactions, items, table):
    built = merge_from_plan(PLAN, items, {"item2vec": table}).fit(interactions)
    by_hand = Merged(
        {"ease": Ease(regularization=20.0), "item2vec": VectorRecaller(table)},
        {"ease": 2.0, "item2vec": 1.0},
        fusion="rank",
        depth=25,
    ).fit(interactions)
    users = interactions["user_id"].unique()
    got, want = built.lists(users, 25), by_hand.lists(users, 25)
    np.testing.assert_array_equal(got.item_ids, want.item_ids)
    np.testing.assert_array_equal(got.scores, want.scores)
    np.testing.assert_array_equal(got.channels, want.channels)


def test_the_default_plan_is_plain_and_works(interactions, items, table):
    plan = default_plan()
    assert json.loads(json.dumps(plan)) == plan
    merged = merge_from_plan(plan, items, {"node2vec": table}).fit(interactions)
    assert merged.channels.keys() == plan["channels"].keys()
    assert merged.lists(interactions["user_id"][:3], 5).listed.all()


@pytest.mark.parametrize("name", channel_names())
def test_every_channel_can_be_made_by_name_and_fitted(name, interactions, items):
    quick = {"two_tower": {"epochs": 1}, "als": {"sweeps": 1}}.get(name, {})
    users = interactions["user_id"].unique()
    channel = make_channel(name, items, **quick).fit(interactions)
    assert channel.lists(users, 3).listed.any()
    assert set(channel.recommend(users, 3)["channel"]) == {name}


def test_vectors_without_a_table_are_trained_on_what_fit_is_given(interactions):
    history = interactions.iloc[: len(interactions) // 2]
    channel = make_channel("item2vec").fit(history)
    known = channel.matrix_.item_ids[channel.item_vectors_.any(axis=1)]
    assert set(known) <= set(history["item_id"])
    assert len(known)


@pytest.mark.parametrize("min_rating", [None, 5.0])
def test_vectors_are_trained_on_what_counts_as_a_like(min_rating, interactions):
    history = interactions.iloc[: len(interactions) // 2]
    counted = history if min_rating is None else history[history["rating"] >= min_rating]
    company = counted.groupby("user_id")["item_id"].transform("size") > 1
    channel = make_channel("item2vec", min_rating=min_rating).fit(history)
    known = channel.matrix_.item_ids[channel.item_vectors_.any(axis=1)]
    assert set(known) == set(counted.loc[company, "item_id"])
    likes = set(history.loc[history["rating"] >= 3.5, "item_id"])
    assert (set(known) > likes) if min_rating is None else (set(known) < likes)


def test_passes_of_the_training_are_a_setting(interactions):
    vectors = [make_channel("item2vec", epochs=n).fit(interactions).item_vectors_ for n in (10, 2)]
    default = make_channel("item2vec").fit(interactions).item_vectors_
    assert (vectors[0] == default).all()
    assert (vectors[1] != default).any()


def test_a_channel_says_what_it_lacks_and_what_it_does_not_take(items):
    with pytest.raises(RecsysError, match=r"'newest' needs items with a column 'release_year'"):
        make_channel("newest")
    with pytest.raises(RecsysError, match=r"'favourite_people' needs .* 'people'"):
        make_channel("favourite_people", items.drop(columns="people"))
    with pytest.raises(RecsysError, match=r"'ease' does not take .*'lambda_'"):
        make_channel("ease", lambda_=3)


def test_an_unknown_channel_is_refused_with_the_nearest_known(items, table):
    with pytest.raises(RecsysError, match=r"'item_knm'\. Did you mean 'item_knn'\?"):
        make_channel("item_knm", items, {"item2vec": table})


def test_a_large_catalogue_is_left_to_the_channels_that_can_be_fitted_to_it(
    interactions, table, monkeypatch
):
    """Sixty items, one more than may be inverted; before, notebooks 09 to 12 ended in an error."""
    plan = default_plan()["channels"]
    assert feasible(plan, 60) == plan
    monkeypatch.setattr("recsys_lib.recall.channels.ease.LARGEST_CATALOGUE", 59)
    rest = {name: weight for name, weight in plan.items() if name != "session_ease"}
    assert feasible(plan, 60) == rest
    split = Split("last_likes", interactions[:-60], interactions[-60:-30], interactions[-30:])
    vectors = {name: {"last_likes": table} for name in ("item2vec", "deepwalk", "node2vec")}
    fitted = build_recallers({"last_likes": split}, vectors)
    for merged in (fitted["last_likes"]["merged"], fitted["last_likes_train"]["merged"]):
        assert merged.channels.keys() == rest.keys()
    chosen = TunedMerge(channels=("session_ease", "popular")).fit(interactions)
    assert list(chosen.plan_["channels"]) == ["popular"]
