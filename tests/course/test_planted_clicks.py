"""Planted clicks: their cause is what they say, nothing else tells it, and its model finds it."""

import numpy as np
import pytest

from recsys_lib.course.planted_clicks import (
    ITEMS_A_KIND,
    attention_clicks,
    crossing_clicks,
    sequence_clicks,
)
from recsys_lib.evaluation import auc
from recsys_lib.ranking import RankingConfig, TrainingConfig, config_for, train_model

N = 20_000


def topics_of(items) -> np.ndarray:
    return np.asarray(items) // (2 * ITEMS_A_KIND)


def is_good(items) -> np.ndarray:
    return np.asarray(items) // ITEMS_A_KIND % 2


@pytest.mark.parametrize("make", [attention_clicks, sequence_clicks, crossing_clicks])
def test_a_seed_gives_the_same_clicks_and_half_of_them_are_clicked(make):
    first, again, other = make(2_000, 1), make(2_000, 1), make(2_000, 2)
    assert str(first.to_dict()) == str(again.to_dict())
    assert str(first.to_dict()) != str(other.to_dict())
    assert abs(make(N, 3)["label"].mean() - 0.5) < 0.02


def test_the_liked_item_of_the_candidates_topic_decides():
    clicks = attention_clicks(N, 1)
    liked = np.stack(clicks["history"])
    same = topics_of(liked) == topics_of(clicks["item_id"])[:, None]
    assert (same.sum(axis=1) == 1).all()
    decided = is_good(liked)[same]
    assert abs((decided == clicks["label"]).mean() - 0.95) < 0.01
    # The candidate alone says nothing, and the number of good items little.
    assert abs(auc(clicks["label"], is_good(clicks["item_id"])) - 0.5) < 0.02
    assert auc(clicks["label"], is_good(liked).sum(axis=1)) < 0.7


def test_the_topic_that_comes_later_decides():
    clicks = sequence_clicks(N, 1)
    liked = topics_of(np.stack(clicks["history"]))  # the latest first
    candidate = topics_of(clicks["item_id"])
    later, sooner = (liked[:, place] == candidate for place in (0, -1))
    assert (later ^ sooner).all()
    assert abs((later == clicks["label"]).mean() - 0.95) < 0.01
    # The set of items does not say which came later.
    assert ((liked == candidate[:, None]).sum(axis=1) == liked.shape[1] // 2).all()


def test_neither_users_nor_items_are_clicked_more_than_others():
    clicks = crossing_clicks(N, 1)
    for column in ("user_id", "item_id"):
        shares = clicks.groupby(column)["label"].agg(["mean", "size"])
        # The rates of so many rows with a mean of .5 scatter by chance, plus what tastes add.
        spread = (shares["mean"] - 0.5) * np.sqrt(shares["size"]) / 0.5
        assert spread.std() < 1.3


CONFIG = RankingConfig(
    categories=("item_id",), numbers=(), history=("history",), hidden=(64, 64),
    id_dropout=0.0, embedding_l2=1e-4, dropout=0.0,
    training=TrainingConfig(batch_size=256, epochs=8, patience=0, learning_rate=0.01),
)  # fmt: skip


@pytest.mark.parametrize(
    ("make", "kind", "settings"),
    [
        (attention_clicks, "din", {}),
        (sequence_clicks, "dien", {"epochs": 2}),
        (crossing_clicks, "dcn_v2", {"categories": ("item_id", "user_id"), "history": ()}),
    ],
)
def test_the_structure_that_was_planted_wins(make, kind, settings):
    train, test = make(N, 1), make(4_000, 2)
    config = CONFIG.with_settings(**settings)
    found = {
        each: auc(
            test["label"],
            train_model(each, train, config=config_for(each, config), seed=3).predict(test),
        )
        for each in (kind, "embedding_mlp")
    }
    assert found[kind] > found["embedding_mlp"] + 0.02
