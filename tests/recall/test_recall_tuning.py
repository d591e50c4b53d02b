"""The best merge looks at nothing but what it is given, and chooses what it should."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.recall import RP3beta, TunedMerge, make_channel, make_recaller
from recsys_lib.recall.channels.vectors import trained_vectors
from recsys_lib.recall.tuning import SEARCH, _search

QUICK = ("popular", "item_knn", "rp3beta")


def test_the_merge_is_no_worse_than_its_channels_and_plain_to_keep(interactions):
    best = TunedMerge(channels=QUICK, k=5).fit(interactions)
    singles = [best.validation_[name] for name in QUICK]
    assert best.validation_["merged"] >= max(singles)
    first = next(iter(best.plan_["channels"]))
    assert best.validation_[first] == max(singles)


def test_one_channel_alone_keeps_its_chosen_settings(interactions):
    best = TunedMerge(channels=("rp3beta",), k=5).fit(interactions)
    (settings,) = best.plan_["settings"].values()
    users = interactions["user_id"].unique()
    expected = RP3beta(**settings).fit(interactions).lists(users, 5)
    np.testing.assert_array_equal(best.lists(users, 5).item_ids, expected.item_ids)


def test_vectors_are_trained_once_for_each_way_to_train_them(interactions, monkeypatch):
    trained = []

    def counting(name, events, seed, *, epochs=None):
        trained.append((float(events["rating"].sum()), epochs))
        return trained_vectors(name, events, seed, epochs=epochs)

    monkeypatch.setattr("recsys_lib.recall.channels.vectors.trained_vectors", counting)
    monkeypatch.setitem(SEARCH, "item2vec", SEARCH["item2vec"] | {"epochs": [1, 2]})
    best = TunedMerge(channels=("item2vec",), k=5).fit(interactions)
    # Of all and of likes, then with more passes, and at last of everything there is.
    assert len(trained) == len(set(trained)) == 4
    (chosen,) = best.plan_["settings"].values()
    alone = make_channel("item2vec", **chosen).fit(interactions)
    users = interactions["user_id"].unique()
    np.testing.assert_array_equal(best.lists(users, 5).item_ids, alone.lists(users, 5).item_ids)


def test_nearness_is_tried_where_it_does_not_take_long():
    draw = np.random.default_rng(3)
    for n_users, n_items, tried in ((30, 20, True), (8, 60, False)):
        pairs = [(u, i) for u in range(n_users) for i in draw.choice(n_items, 10, replace=False)]
        frame = pd.DataFrame(pairs, columns=["user_id", "item_id"])
        frame = frame.assign(rating=np.float32(5), timestamp=np.arange(len(frame)))
        assert (len(_search("ease", frame)["near_weight"]) > 1) == tried
        settings = TunedMerge(channels=("ease",), k=5).fit(frame).plan_["settings"]["ease"]
        assert tried or settings["near_weight"] == 0


def test_the_choice_follows_what_counts_as_relevant():
    """Half of the items are had and hated: they are worth recommending only if all rows count."""
    rng = np.random.default_rng(4)
    user, item = (part.ravel() for part in np.mgrid[:60, :40])
    kept = rng.random(user.size) < np.where(item < 20, 0.8, 0.3)
    frame = pd.DataFrame({"user_id": user, "item_id": item})[kept]
    frame["rating"] = np.where(frame["item_id"] < 20, 1.0, 5.0).astype(np.float32)
    frame["timestamp"] = np.arange(len(frame))
    for relevant, min_rating in (("all", None), ("likes", 3.5)):
        best = TunedMerge(channels=("popular",), relevant=relevant, k=5).fit(frame)
        assert best.plan_["settings"]["popular"]["min_rating"] == min_rating


@pytest.mark.parametrize("name", SEARCH)
def test_every_setting_that_is_searched_exists(name):
    for setting, values in SEARCH[name].items():
        for value in values:
            make_channel(name, **{setting: value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": "rendom"}, "'rendom'. Did you mean 'random'"),
        ({"relevant": "some"}, "all, likes"),
    ],
)
def test_a_wrong_choice_is_refused(settings, message, interactions):
    with pytest.raises(RecsysError, match=message):
        TunedMerge(**settings).fit(interactions)


def test_channels_that_read_sequences_take_part_where_sequences_are_kept():
    by_protocol = {
        p: make_recaller("best", protocol=p).channels for p in ("random", "last", "time")
    }
    assert "session_ease" not in by_protocol["random"]
    assert {"session_ease", "co_occurrence"} <= set(by_protocol["last"]) & set(by_protocol["time"])
    assert make_recaller("best", protocol="last", channels=("ease",)).channels == ("ease",)
    assert make_recaller("item2vec").channels == ("item2vec",)
