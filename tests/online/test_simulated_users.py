"""Simulated users: fitted on ratings, they like what such users like; logs are what they say."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError
from recsys_lib.evaluation.off_policy import off_policy_value
from recsys_lib.online import SimulatedUsers


@pytest.fixture(scope="module")
def interactions():
    """Two kinds of users: one likes even items, the other odd ones, four times in five."""
    rng = np.random.default_rng(0)
    user, item = (part.ravel() for part in np.meshgrid(np.arange(300), np.arange(40)))
    kept = rng.random(len(user)) < np.where(item < 6, 0.9, 0.7)
    user, item = user[kept], item[kept]
    likes = rng.random(len(user)) < np.where(user % 2 == item % 2, 0.8, 0.2)
    return pd.DataFrame(
        {"user_id": user + 100, "item_id": item + 10, "rating": np.where(likes, 5.0, 2.0)}
    )


@pytest.fixture(scope="module")
def users(interactions):
    return SimulatedUsers.fit(interactions, n_arms=6, dim=3, min_ratings=10)


def test_arms_are_the_items_rated_most(users):
    assert users.item_ids.tolist() == [10, 11, 12, 13, 14, 15]
    assert users.contexts.shape == (300, 3)
    assert (users.contexts[:, 0] == 1).all()
    assert users.contexts[:, 1:].std(axis=0) == pytest.approx([1, 1])


def test_users_like_what_their_kind_likes(users):
    kind = np.arange(300) % 2
    # The regression is a little shrunk.
    same = users.like_chances[kind[:, None] == np.arange(6) % 2].mean()
    other = users.like_chances[kind[:, None] != np.arange(6) % 2].mean()
    assert same == pytest.approx(0.8, abs=0.05)
    assert other == pytest.approx(0.2, abs=0.05)


def test_the_order_of_rows_changes_nothing(interactions, users):
    shuffled = interactions.sample(frac=1, random_state=0)
    again = SimulatedUsers.fit(shuffled, n_arms=6, dim=3, min_ratings=10)
    assert again.like_chances == pytest.approx(users.like_chances, abs=1e-6)


def test_contexts_know_nothing_of_the_arms_ratings(interactions, users):
    """Else a policy would be shown the answer."""
    of_arms = interactions["item_id"] < 16
    turned = interactions.assign(
        rating=np.where(of_arms, 7.0 - interactions["rating"], interactions["rating"])
    )
    again = SimulatedUsers.fit(turned, n_arms=6, dim=3, min_ratings=10)
    assert again.contexts == pytest.approx(users.contexts)
    assert again.like_chances == pytest.approx(1 - users.like_chances, abs=1e-3)


def test_a_log_is_worth_what_the_policy_is_worth(users):
    rng = np.random.default_rng(1)
    uniform = np.full((300, 6), 1 / 6)
    rows = rng.integers(300, size=60_000)
    logged = users.log(uniform, rows, rng)
    assert np.bincount(logged.actions) / 60_000 == pytest.approx(np.full(6, 1 / 6), abs=0.01)
    assert logged.rewards.mean() == pytest.approx(users.value_of(uniform), abs=0.01)
    best = np.eye(6)[users.like_chances.argmax(axis=1)]
    table = off_policy_value(logged, best[rows], users.like_chances[rows])
    truth = users.value_of(best)
    assert truth > users.value_of(uniform) + 0.2
    assert table["value"].to_numpy() == pytest.approx([truth] * len(table), abs=0.02)


def test_a_log_has_the_propensities_of_its_policy(users):
    rng = np.random.default_rng(2)
    chances = rng.dirichlet(np.ones(6), 300)
    rows = rng.integers(300, size=1_000)
    logged = users.log(chances, rows, rng)
    assert (logged.propensities == chances[rows, logged.actions]).all()


def test_a_part_of_the_users_keeps_who_they_are(users):
    part = users.of(np.array([7, 3]))
    assert part.user_ids.tolist() == [107, 103]
    assert (part.contexts == users.contexts[[7, 3]]).all()
    assert (part.like_chances == users.like_chances[[7, 3]]).all()
    assert (part.item_ids == users.item_ids).all()


def test_too_little_to_fit_is_refused(interactions):
    with pytest.raises(DataError, match="40 arms need more items than the 40"):
        SimulatedUsers.fit(interactions, n_arms=40)
    with pytest.raises(DataError, match="as many items that are no arms"):
        SimulatedUsers.fit(interactions, n_arms=38, dim=5, min_ratings=1)
    with pytest.raises(DataError, match="no likes or no dislikes"):
        SimulatedUsers.fit(interactions.assign(rating=5.0), n_arms=3, dim=3)
