"""What every recaller owes its caller, whatever it has learned."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.recall import (
    Best,
    Calibration,
    Ease,
    FavouriteGenre,
    FavouritePeople,
    ImplicitALS,
    ItemKNN,
    Merged,
    Newest,
    Popular,
    RandomRecaller,
    RecentlyPopular,
    RP3beta,
    TwoTower,
    UserKNN,
    VectorRecaller,
)

UNKNOWN_USER = 999_999

MAKERS = {
    "popular": lambda items, table: Popular(),
    "recently_popular": lambda items, table: RecentlyPopular(half_life_days=20),
    "newest": lambda items, table: Newest(items),
    "random": lambda items, table: RandomRecaller(seed=3),
    "favourite_genre": lambda items, table: FavouriteGenre(items),
    "favourite_people": lambda items, table: FavouritePeople(items),
    "item_knn": lambda items, table: ItemKNN(n_neighbours=20),
    "user_knn": lambda items, table: UserKNN(n_neighbours=10, shrinkage=1),
    "rp3beta": lambda items, table: RP3beta(n_neighbours=30),
    "ease": lambda items, table: Ease(regularization=5),
    "ease_all_settings": lambda items, table: Ease(
        dropout=0.3, rating_weight=0.2, user_damping=0.5, min_rating=None, half_life_likes=4
    ),
    "als": lambda items, table: ImplicitALS(embedding_dim=4, sweeps=2),
    "two_tower": lambda items, table: TwoTower(embedding_dim=4, epochs=1),
    "vectors": lambda items, table: VectorRecaller(table, n_recent=5),
    "best": lambda items, table: Best(channels=("popular", "item_knn")),
    "best_single": lambda items, table: Best(channels=("popular", "rp3beta"), merge=False),
    "merged_quota": lambda items, table: Merged(
        {"knn": ItemKNN(), "popular": Popular(), "vectors": VectorRecaller(table)},
        {"knn": 6, "popular": 1, "vectors": 3},
    ),
    "merged_rank": lambda items, table: Merged(
        {"knn": ItemKNN(), "genre": FavouriteGenre(items)}, fusion="rank", depth=15
    ),
    "merged_score": lambda items, table: Merged(
        {"vectors": VectorRecaller(table), "popular": Popular()},
        {"vectors": 1, "popular": 0.3},
        fusion="score",
    ),
    "merged_calibrated": lambda items, table: Merged(
        {"knn": ItemKNN(), "popular": Popular()},
        fusion="calibrated",
        calibrations={
            "knn": Calibration(np.array([0.0, 4.0]), np.array([0.1, 0.6])),
            "popular": Calibration(np.array([0.0, 20.0]), np.array([0.05, 0.3])),
        },
    ),
}


@pytest.fixture(scope="module", params=MAKERS)
def make(request, items, table):
    """Return a function that makes the recaller under test, unfitted."""
    return lambda: MAKERS[request.param](items, table)


@pytest.fixture(scope="module")
def fitted(make, interactions):
    return make().fit(interactions)


@pytest.fixture(scope="module")
def user_ids(interactions) -> np.ndarray:
    return interactions["user_id"].unique()


def pairs(user_ids, item_ids) -> set:
    users = np.repeat(user_ids, item_ids.shape[1])
    return {(u, i) for u, i in zip(users, item_ids.ravel(), strict=True) if i >= 0}


def test_fit_returns_the_recaller(make, interactions):
    recaller = make()
    assert recaller.fit(interactions) is recaller


def test_shapes_and_types(fitted, user_ids):
    item_ids, scores = fitted.recommend(user_ids, 7)
    assert item_ids.shape == scores.shape == (len(user_ids), 7)
    assert item_ids.dtype == np.int64
    assert scores.dtype == np.float32
    assert (item_ids >= 0).any()
    assert not np.isnan(scores).any()


def test_best_first_and_no_item_twice(fitted, user_ids):
    item_ids, scores = fitted.recommend(user_ids, 20)
    assert (scores[:, :-1] >= scores[:, 1:]).all()
    for row in item_ids:
        listed = row[row >= 0]
        assert len(np.unique(listed)) == len(listed)


def test_seen_items_are_never_returned(fitted, user_ids, interactions):
    item_ids, _ = fitted.recommend(user_ids, 60)
    seen = set(zip(interactions["user_id"], interactions["item_id"], strict=True))
    assert not pairs(user_ids, item_ids) & seen


def test_excluded_pairs_are_not_returned_and_others_take_their_place(fitted, user_ids):
    before, _ = fitted.recommend(user_ids, 5)
    kept = before[:, 0] >= 0
    exclude = pd.DataFrame({"user_id": user_ids[kept], "item_id": before[kept, 0]})
    after, _ = fitted.recommend(user_ids, 5, exclude)
    assert not pairs(user_ids, after) & pairs(user_ids, before[:, :1])
    # Items are scored independently of each other but for the merge, whose places shift.
    if not isinstance(fitted, Merged | Best):
        np.testing.assert_array_equal(after[:, :4], before[:, 1:])


def test_an_empty_exclusion_excludes_nothing(fitted, user_ids):
    nothing = pd.DataFrame({"user_id": [], "item_id": []}, dtype=np.int64)
    expected = fitted.recommend(user_ids, 5)
    for got, want in zip(fitted.recommend(user_ids, 5, nothing), expected, strict=True):
        np.testing.assert_array_equal(got, want)


def test_exclusions_of_unknown_users_and_items_are_ignored(fitted, user_ids):
    strangers = pd.DataFrame({"user_id": [UNKNOWN_USER, user_ids[0]], "item_id": [5, 888_888]})
    got, _ = fitted.recommend(user_ids, 5, strangers)
    np.testing.assert_array_equal(got, fitted.recommend(user_ids, 5)[0])


def test_an_unknown_user_gets_padding(fitted, user_ids):
    item_ids, scores = fitted.recommend([UNKNOWN_USER, user_ids[0]], 4)
    assert (item_ids[0] == -1).all()
    assert np.isneginf(scores[0]).all()
    np.testing.assert_array_equal(item_ids[1], fitted.recommend(user_ids[:1], 4)[0][0])


def test_no_users(fitted):
    item_ids, scores = fitted.recommend([], 4)
    assert item_ids.shape == scores.shape == (0, 4)
    assert (item_ids.dtype, scores.dtype) == (np.int64, np.float32)


def test_a_batch_equals_its_rows_one_by_one(fitted, user_ids):
    batch_ids, batch_scores = fitted.recommend(user_ids, 10)
    rows = [fitted.recommend([user], 10) for user in user_ids]
    np.testing.assert_array_equal(batch_ids, np.concatenate([ids for ids, _ in rows]))
    one_by_one = np.concatenate([scores for _, scores in rows])
    np.testing.assert_allclose(batch_scores, one_by_one, rtol=1e-4, atol=1e-6)


def test_a_short_list_is_the_head_of_a_long_one(fitted, user_ids):
    short, _ = fitted.recommend(user_ids, 3)
    np.testing.assert_array_equal(short, fitted.recommend(user_ids, 12)[0][:, :3])


def test_the_same_user_twice_gets_the_same(fitted, user_ids):
    item_ids, _ = fitted.recommend([user_ids[3], user_ids[3]], 6)
    np.testing.assert_array_equal(item_ids[0], item_ids[1])


def test_k_beyond_the_catalogue_is_padded(fitted, user_ids):
    item_ids, scores = fitted.recommend(user_ids, 100)
    assert item_ids.shape == (len(user_ids), 100)
    assert (item_ids[:, 60:] == -1).all()
    np.testing.assert_array_equal(item_ids == -1, np.isneginf(scores))


def test_two_fits_agree(make, interactions, user_ids):
    first, second = (make().fit(interactions).recommend(user_ids, 10) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_the_order_of_rows_does_not_matter(make, interactions, user_ids, fitted):
    shuffled = make().fit(interactions.sample(frac=1, random_state=0))
    np.testing.assert_array_equal(
        shuffled.recommend(user_ids, 10)[0], fitted.recommend(user_ids, 10)[0]
    )


def test_a_user_who_likes_nothing_is_served_or_padded(make, interactions):
    grumbler = interactions["user_id"] == interactions["user_id"].iloc[0]
    frame = interactions.assign(rating=interactions["rating"].where(~grumbler, 1.0))
    item_ids, scores = make().fit(frame).recommend([interactions["user_id"].iloc[0]], 5)
    np.testing.assert_array_equal(item_ids == -1, np.isneginf(scores))


def test_one_interaction_is_enough_to_fit(make, interactions):
    frame = interactions[interactions["rating"] >= 4].head(1)
    item_ids, _ = make().fit(frame).recommend(frame["user_id"], 5)
    assert (item_ids == -1).all()


def test_before_fit_it_says_so(make):
    with pytest.raises(RecsysError, match="after fit"):
        make().recommend([1], 5)


def test_k_must_be_positive(fitted):
    with pytest.raises(RecsysError, match="k must be at least 1, not 0"):
        fitted.recommend([1], 0)
