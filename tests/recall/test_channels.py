"""Each channel on five films and a handful of users, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.recall import (
    Ease,
    FavouriteGenre,
    ItemKNN,
    Newest,
    Popular,
    RandomRecaller,
    RecentlyPopular,
    VectorRecaller,
)

DAY = 86_400


def rows(*quadruples) -> pd.DataFrame:
    frame = pd.DataFrame(quadruples, columns=["user_id", "item_id", "rating", "timestamp"])
    return frame.astype({"rating": np.float32})


@pytest.fixture
def toy() -> pd.DataFrame:
    """Likes: user 1 {10, 20}, 2 {10, 20, 30}, 3 {30, 40}, 4 {10, 40}; 5 dislikes 10, rated 50."""
    likes = [(1, 10), (1, 20), (2, 10), (2, 20), (2, 30), (3, 30), (3, 40), (4, 10), (4, 40)]
    return rows(
        *((user, item, 5, 100 * DAY + place) for place, (user, item) in enumerate(likes)),
        (5, 10, 1, 0),
        (5, 50, 2, 0),
    )


def test_popular_counts_likes_not_ratings(toy):
    item_ids, scores = Popular().fit(toy).recommend([3], 5)
    # 10: three likes (and one dislike), 20: two, 50: none.
    assert item_ids[0].tolist() == [10, 20, 50, -1, -1]
    assert scores[0, :3].tolist() == [3, 2, 0]


def test_a_like_counts_half_after_a_half_life():
    frame = rows((1, 10, 5, 0), (2, 20, 5, 30 * DAY), (3, 30, 1, 60 * DAY), (4, 40, 4, 60 * DAY))
    item_ids, scores = RecentlyPopular(half_life_days=30).fit(frame).recommend([3], 3)
    assert item_ids[0].tolist() == [40, 20, 10]
    np.testing.assert_allclose(scores[0], [1, 0.5, 0.25])


def test_newest_first_then_popular_and_no_year_no_recall(toy):
    items = pd.DataFrame(
        {
            "item_id": [10, 20, 30, 40, 50],
            "release_year": pd.array([1990, 1995, 1995, None, 1999], dtype="Int16"),
        }
    )
    frame = pd.concat([toy, rows((6, 999, 5, 0))])
    item_ids, _ = Newest(items).fit(frame).recommend([6], 5)
    # 20 and 30 have two likes each and share a year: the tie goes to the smaller id.
    assert item_ids[0].tolist() == [50, 20, 30, 10, -1]


def test_random_lists_differ_between_users_and_seeds(interactions):
    users = interactions["user_id"].unique()
    one, _ = RandomRecaller(seed=1).fit(interactions).recommend(users, 10)
    two, _ = RandomRecaller(seed=2).fit(interactions).recommend(users, 10)
    assert len({tuple(row) for row in one.tolist()}) == len(users)
    assert (one != two).mean() > 0.8


def test_random_draws_every_item_alike():
    frame = rows(
        *((user, 1_000 + user, 5, 0) for user in range(2_000)),
        *((9_999, i, 5, 0) for i in range(10)),
    )
    item_ids, _ = RandomRecaller(seed=5).fit(frame).recommend(np.arange(2_000), 2_009)
    position = np.argsort(item_ids, axis=1)[:, 1:11]  # the places of the items 0 to 9
    # Uniform places have mean 1004 and a standard error of 13 over 2,000 users.
    np.testing.assert_allclose(position.mean(axis=0), 1_004, atol=60)


def test_favourite_genre_by_hand(toy):
    items = pd.DataFrame(
        {
            "item_id": [10, 20, 30, 40, 50],
            "genres": [["Drama"], ["Drama", "Crime"], ["Crime"], ["Comedy"], []],
        }
    )
    channel = FavouriteGenre(items).fit(toy)
    assert list(channel.attributes_) == ["Comedy", "Crime", "Drama"]
    # User 1 likes 10 and 20: Drama 1 + 1/2, Crime 1/2 of two likes.
    np.testing.assert_allclose(channel.shares_.toarray()[0], [0, 0.25, 0.75])
    item_ids, scores = channel.recommend([1, 3, 5], 3)
    # 30 is Crime with two likes; 40 is Comedy, which user 1 never liked.
    assert item_ids[0].tolist() == [30, -1, -1]
    assert scores[0, 0] == pytest.approx(0.25 * 2)
    # User 3: Crime 1/2, Comedy 1/2; 20 has Crime among its genres, 10 has neither.
    assert item_ids[1].tolist() == [20, -1, -1]
    assert item_ids[2].tolist() == [-1, -1, -1]


@pytest.mark.parametrize("shrinkage", [0.0, 10.0])
def test_item_similarity_by_hand(toy, shrinkage):
    channel = ItemKNN(n_neighbours=4, shrinkage=shrinkage).fit(toy)
    together = {(0, 1): 2, (0, 2): 1, (0, 3): 1, (1, 2): 1, (2, 3): 1}
    likes = [3, 2, 2, 2, 0]
    expected = np.zeros((5, 5))
    for (i, j), n in together.items():
        expected[i, j] = expected[j, i] = n / (np.sqrt(likes[i] * likes[j]) + shrinkage)
    np.testing.assert_allclose(channel.weights_.toarray(), expected, rtol=1e-6)
    item_ids, scores = channel.recommend([1], 5)
    assert item_ids[0].tolist() == [30, 40, -1, -1, -1]
    assert scores[0, 0] == pytest.approx(expected[0, 2] + expected[1, 2])


def test_only_the_nearest_neighbours_are_kept(interactions):
    full = ItemKNN(n_neighbours=60).fit(interactions).weights_.toarray()
    short = ItemKNN(n_neighbours=5).fit(interactions).weights_.toarray()
    assert np.count_nonzero(short, axis=1).max() == 5
    np.testing.assert_allclose(np.sort(full, axis=1)[:, -5:], np.sort(short, axis=1)[:, -5:])


def test_item_similarity_in_slices_is_the_same(interactions, monkeypatch):
    whole = ItemKNN(n_neighbours=7).fit(interactions).weights_
    monkeypatch.setattr("recsys_lib.recall.item_model.ITEMS_AT_ONCE", 11)
    sliced = ItemKNN(n_neighbours=7).fit(interactions).weights_
    assert (whole != sliced).nnz == 0


def test_user_vector_is_the_mean_of_recent_likes():
    table = EmbeddingTable([10, 20, 30, 40], [[2, 0], [0, 3], [1, 1], [-1, 0.1]])
    frame = rows(
        (1, 40, 5, 1),  # an old like, out of reach of the two recent ones
        (1, 10, 5, 2),
        (1, 20, 5, 3),
        (1, 50, 1, 4),  # disliked
        (2, 30, 5, 0),
        (2, 60, 5, 0),
    )
    recaller = VectorRecaller(table, n_recent=2).fit(frame)
    # Vectors count by direction: (1, 0) and (0, 1), whatever their lengths.
    np.testing.assert_allclose(recaller.user_vectors_[0], [np.sqrt(0.5)] * 2, rtol=1e-6)
    item_ids, scores = recaller.recommend([1, 2], 4)
    assert item_ids[0].tolist() == [30, -1, -1, -1]  # 60 has no vector
    assert scores[0, 0] == pytest.approx(1)
    # User 2's second like has no vector: the mean is that of item 30 alone.
    assert set(item_ids[1][:2]) == {10, 20}  # equally near
    assert item_ids[1][2:].tolist() == [40, -1]
    np.testing.assert_allclose(scores[1, :2], np.sqrt(0.5), rtol=1e-6)


def test_a_user_without_a_vector_is_padded():
    table = EmbeddingTable([10, 20], [[1, 0], [0, 1]])
    frame = rows((1, 99, 5, 0), (2, 10, 2, 0), (3, 20, 5, 0))
    item_ids, _ = VectorRecaller(table).fit(frame).recommend([1, 2, 3], 2)
    assert item_ids.tolist() == [[-1, -1], [-1, -1], [10, -1]]


def test_ease_solves_its_own_equation(interactions):
    """Against the minimum found item by item with plain ridge regression."""
    channel = Ease(regularization=3).fit(interactions)
    likes = channel.likes_.toarray().astype(np.float64)
    for item in (0, 7, 30):
        others = np.delete(np.arange(likes.shape[1]), item)
        x = likes[:, others]
        ridge = np.linalg.solve(x.T @ x + 3 * np.eye(len(others)), x.T @ likes[:, item])
        np.testing.assert_allclose(channel.weights_[others, item], ridge, atol=1e-6)
    assert (np.diag(channel.weights_) == 0).all()


def test_ease_refuses_a_catalogue_it_can_not_invert(interactions, monkeypatch):
    monkeypatch.setattr("recsys_lib.recall.ease.LARGEST_CATALOGUE", 59)
    with pytest.raises(RecsysError, match="too many"):
        Ease().fit(interactions)


@pytest.mark.parametrize(
    ("recaller", "message"),
    [
        (RecentlyPopular(half_life_days=0), "half_life_days must be positive, not 0"),
        (ItemKNN(n_neighbours=0), "n_neighbours must be at least 1"),
        (ItemKNN(shrinkage=-1), "shrinkage not negative"),
        (Ease(regularization=0), "regularization must be positive"),
        (VectorRecaller(EmbeddingTable([1], [[1.0]]), n_recent=0), "n_recent must be at least 1"),
    ],
)
def test_a_wrong_setting_is_named(recaller, message, toy):
    with pytest.raises(RecsysError, match=message):
        recaller.fit(toy)
