"""Each channel on five films and a handful of users, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from recsys_lib.data.knowledge_graph import with_people
from recsys_lib.data.likes import likes_of
from recsys_lib.data.splits import in_time_order
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.recall import (
    Ease,
    FavouriteGenre,
    FavouritePeople,
    ImplicitALS,
    ItemKNN,
    Newest,
    Popular,
    RandomRecaller,
    RecentlyPopular,
    RP3beta,
    UserKNN,
    VectorRecaller,
)
from recsys_lib.recall.histories import Histories

DAY = 86_400


def arrays(lists) -> tuple[np.ndarray, np.ndarray]:
    return lists.item_ids, lists.scores


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
    item_ids, scores = arrays(Popular().fit(toy).lists([3], 5))
    # 10: three likes (and one dislike), 20: two, 50: none.
    assert item_ids[0].tolist() == [10, 20, 50, -1, -1]
    assert scores[0, :3].tolist() == [3, 2, 0]


def test_a_like_counts_half_after_a_half_life():
    frame = rows((1, 10, 5, 0), (2, 20, 5, 30 * DAY), (3, 30, 1, 60 * DAY), (4, 40, 4, 60 * DAY))
    item_ids, scores = arrays(RecentlyPopular(half_life_days=30).fit(frame).lists([3], 3))
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
    item_ids, _ = arrays(Newest(items).fit(frame).lists([6], 5))
    # 20 and 30 have two likes each and share a year: the tie goes to the smaller id.
    assert item_ids[0].tolist() == [50, 20, 30, 10, -1]


def test_random_lists_differ_between_users_and_seeds(interactions):
    users = interactions["user_id"].unique()
    one, _ = arrays(RandomRecaller(seed=1).fit(interactions).lists(users, 10))
    two, _ = arrays(RandomRecaller(seed=2).fit(interactions).lists(users, 10))
    assert len({tuple(row) for row in one.tolist()}) == len(users)
    assert (one != two).mean() > 0.8


def test_random_draws_every_item_alike():
    frame = rows(
        *((user, 1_000 + user, 5, 0) for user in range(2_000)),
        *((9_999, i, 5, 0) for i in range(10)),
    )
    item_ids, _ = arrays(RandomRecaller(seed=5).fit(frame).lists(np.arange(2_000), 2_009))
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
    np.testing.assert_allclose(channel.users_.toarray()[0], [0, 0.25, 0.75])
    item_ids, scores = arrays(channel.lists([1, 3, 5], 3))
    # 30 is Crime with two likes; 40 is Comedy, which user 1 never liked.
    assert item_ids[0].tolist() == [30, -1, -1]
    assert scores[0, 0] == pytest.approx(0.25 * 2)
    # User 3: Crime 1/2, Comedy 1/2; 20 has Crime among its genres, 10 has neither.
    assert item_ids[1].tolist() == [20, -1, -1]
    assert item_ids[2].tolist() == [-1, -1, -1]


def test_people_come_from_the_knowledge_graph(toy):
    items = pd.DataFrame({"item_id": [10, 30, 40], "entity_id": ["m.a", "m.b", None]})
    facts = [
        ("m.a", "film.film.directed_by", "m.x"),
        ("m.a", "film.film.actor", "m.x"),  # directs and acts: one person
        ("m.a", "film.film.country", "m.us"),
        ("m.b", "film.film.actor", "m.x"),
        ("m.b", "film.film.actor", "m.y"),
    ]
    items = with_people(items, pd.DataFrame(facts, columns=["head", "relation", "tail"]))
    assert items["people"].tolist() == [["m.x"], ["m.x", "m.y"], []]
    item_ids, scores = arrays(FavouritePeople(items).fit(toy).lists([1, 3], 3))
    # User 1 likes 10, so x alone; 30 has x and two likes.
    assert item_ids[0].tolist() == [30, -1, -1]
    assert scores[0, 0] == 2
    # User 3 likes 30, half x, half y; 10 has x and three likes.
    assert item_ids[1].tolist() == [10, -1, -1]
    assert scores[1, 0] == pytest.approx(0.5 * 3)


def test_without_a_knowledge_graph_there_are_no_people(items):
    assert with_people(items, None)["people"].map(len).sum() == 0


@pytest.mark.parametrize("shrinkage", [0.0, 10.0])
def test_item_similarity_by_hand(toy, shrinkage):
    channel = ItemKNN(n_neighbours=4, shrinkage=shrinkage).fit(toy)
    together = {(0, 1): 2, (0, 2): 1, (0, 3): 1, (1, 2): 1, (2, 3): 1}
    likes = [3, 2, 2, 2, 0]
    expected = np.zeros((5, 5))
    for (i, j), n in together.items():
        expected[i, j] = expected[j, i] = n / (np.sqrt(likes[i] * likes[j]) + shrinkage)
    np.testing.assert_allclose(channel.weights_.toarray(), expected, rtol=1e-6)
    item_ids, scores = arrays(channel.lists([1], 5))
    assert item_ids[0].tolist() == [30, 40, -1, -1, -1]
    assert scores[0, 0] == pytest.approx(expected[0, 2] + expected[1, 2])


def test_only_the_nearest_neighbours_are_kept(interactions):
    full = ItemKNN(n_neighbours=60).fit(interactions).weights_.toarray()
    short = ItemKNN(n_neighbours=5).fit(interactions).weights_.toarray()
    assert np.count_nonzero(short, axis=1).max() == 5
    np.testing.assert_allclose(np.sort(full, axis=1)[:, -5:], np.sort(short, axis=1)[:, -5:])


def test_item_similarity_in_slices_is_the_same(interactions, monkeypatch):
    whole = ItemKNN(n_neighbours=7).fit(interactions).weights_
    monkeypatch.setattr("recsys_lib.recall.channels.neighbours.ROWS_AT_ONCE", 11)
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
    np.testing.assert_allclose(recaller.users_[0], [np.sqrt(0.5)] * 2, rtol=1e-6)
    item_ids, scores = arrays(recaller.lists([1, 2], 4))
    assert item_ids[0].tolist() == [30, -1, -1, -1]  # 60 has no vector
    assert scores[0, 0] == pytest.approx(1)
    # User 2's second like has no vector: the mean is that of item 30 alone.
    assert set(item_ids[1][:2]) == {10, 20}  # equally near
    assert item_ids[1][2:].tolist() == [40, -1]
    np.testing.assert_allclose(scores[1, :2], np.sqrt(0.5), rtol=1e-6)


def test_popularity_is_added_to_the_cosine():
    """Film 30 points the other way, and two people like it; film 40 has no vector."""
    table = EmbeddingTable([10, 20, 30], [[3, 0], [0, 1], [-1, 0]])
    frame = rows((1, 10, 5, 0), (2, 30, 5, 1), (3, 30, 5, 2), (3, 40, 5, 3), (4, 20, 1, 4))
    plain, popular = (
        VectorRecaller(table, popularity_weight=weight).fit(frame).lists([1], 3)
        for weight in (0.0, 2.0)
    )
    assert plain.item_ids.tolist() == [[20, 30, -1]]
    assert popular.item_ids.tolist() == [[30, 20, -1]]
    np.testing.assert_allclose(popular.scores[0, :2], [2 * np.log(3) - 1, 0], atol=1e-6)


def test_a_user_without_a_vector_is_padded():
    table = EmbeddingTable([10, 20], [[1, 0], [0, 1]])
    frame = rows((1, 99, 5, 0), (2, 10, 2, 0), (3, 20, 5, 0))
    item_ids, _ = arrays(VectorRecaller(table).fit(frame).lists([1, 2, 3], 2))
    assert item_ids.tolist() == [[-1, -1], [-1, -1], [10, -1]]


def test_ease_solves_its_own_equation(interactions):
    """Against the minimum found item by item with plain ridge regression."""
    channel = Ease(regularization=3).fit(interactions)
    likes = likes_of(channel.matrix_).toarray().astype(np.float64)
    for item in (0, 7, 30):
        others = np.delete(np.arange(likes.shape[1]), item)
        x = likes[:, others]
        ridge = np.linalg.solve(x.T @ x + 3 * np.eye(len(others)), x.T @ likes[:, item])
        np.testing.assert_allclose(channel.weights_[others, item], ridge, atol=1e-6)
    assert (np.diag(channel.weights_) == 0).all()


@pytest.mark.parametrize(
    "settings", [{}, {"dropout": 0.4, "user_damping": 0.5}, {"agreement_weight": 0.7}]
)
def test_ease_of_few_users_is_that_of_many(settings):
    """The way by the smaller matrix gives the weights of the large one."""
    draw = np.random.default_rng(5)
    pairs = [(user, item) for user in range(8) for item in draw.choice(40, 15, replace=False)]
    few = rows(*((*pair, draw.integers(4, 6), 0) for pair in pairs))
    channel = Ease(regularization=3, **settings).fit(few)
    # Every user ten times, and ten times the ridge: the same equation, with users no longer few.
    many = pd.concat([few.assign(user_id=few["user_id"] + 8 * copy) for copy in range(10)])
    expected = Ease(regularization=30, **settings).fit(many).weights_
    assert np.abs(expected).max() > 0.05
    assert channel.weights_ == pytest.approx(expected, abs=1e-6)


def test_ease_with_all_its_weights_solves_a_weighted_ridge(interactions):
    """Dropout, user and rating weights against ridge regression on rows weighted by hand."""
    settings = {"dropout": 0.4, "rating_weight": 0.2, "user_damping": 0.5, "min_rating": None}
    channel = Ease(regularization=3, **settings).fit(interactions)
    stars = channel.matrix_.ratings.toarray().astype(np.float64)
    seen = stars > 0
    z = (stars - stars[seen].mean()) / stars[seen].std()
    likes = np.where(seen, 1 + 0.2 * z, 0)
    n = seen.sum(axis=1)
    rows = likes * np.sqrt((n / n.mean()) ** -0.5)[:, None]
    for item in (0, 7, 30):
        others = np.delete(np.arange(likes.shape[1]), item)
        x = rows[:, others]
        penalty = np.diag(3 + 0.4 / 0.6 * (x**2).sum(axis=0))
        ridge = np.linalg.solve(x.T @ x + penalty, x.T @ rows[:, item])
        np.testing.assert_allclose(channel.weights_[others, item], ridge, atol=1e-5)
    np.testing.assert_allclose(
        channel._score(channel.users_[:5]), likes[:5] @ channel.weights_, 1e-4
    )


def test_ease_adds_what_lies_near_in_time(interactions):
    """Pairs counted by loops, and each item's weights as least squares without itself."""
    settings = {"dropout": 0.4, "user_damping": 0.5, "near_weight": 1.5, "min_rating": None}
    channel = Ease(regularization=3, **settings).fit(interactions)
    seen = (channel.matrix_.ratings.toarray() > 0).astype(np.float64)
    n = seen.sum(axis=1)
    gram = seen.T @ (((n / n.mean()) ** -0.5)[:, None] * seen)
    gram += np.diag(3 + 0.4 / 0.6 * np.diag(gram))
    ordered = in_time_order(interactions)
    for _, of_user in ordered.groupby("user_id"):
        columns = channel.matrix_.items_of(of_user["item_id"])
        for place, one in enumerate(columns):
            for distance, other in enumerate(columns[place + 1 : place + 21], start=1):
                gram[one, other] += 1.5 / distance
                gram[other, one] += 1.5 / distance
            gram[one, one] += 2 * 1.5
    for item in (0, 7, 30):
        others = np.delete(np.arange(len(gram)), item)
        expected = np.linalg.solve(gram[np.ix_(others, others)], gram[others, item])
        np.testing.assert_allclose(channel.weights_[others, item], expected, atol=1e-5)


def test_ease_adds_how_far_ratings_agree(interactions):
    """The Gram matrix by loops over users; the mean is over all that a user rated."""
    settings = {"dropout": 0.4, "user_damping": 0.5, "agreement_weight": 0.8}
    channel = Ease(regularization=3, **settings).fit(interactions)
    n_liked = [(each >= 3.5).sum() for _, each in interactions.groupby("user_id")["rating"]]
    gram = np.zeros((channel.matrix_.n_items,) * 2)
    for _, of_user in interactions.groupby("user_id"):
        stars = of_user["rating"].to_numpy(np.float64)
        liked = stars >= 3.5
        above = (stars - stars.mean())[liked]
        at = channel.matrix_.items_of(of_user["item_id"][liked])
        share = (max(liked.sum(), 1) / np.maximum(n_liked, 1).mean()) ** -0.5
        gram[np.ix_(at, at)] += share * (1 + 0.8 * np.outer(above, above))
    gram += np.diag(3 + 0.4 / 0.6 * np.diag(gram))
    for item in (0, 7, 30):
        others = np.delete(np.arange(len(gram)), item)
        expected = np.linalg.solve(gram[np.ix_(others, others)], gram[others, item])
        np.testing.assert_allclose(channel.weights_[others, item], expected, atol=1e-5)


def test_agreement_is_nothing_where_nobody_rates(toy):
    equal = toy.assign(rating=np.float32(5))
    plain, joined = (Ease(agreement_weight=weight).fit(equal).weights_ for weight in (0.0, 3.0))
    np.testing.assert_array_equal(plain, joined)


def test_nearness_joins_what_is_taken_together():
    """All users have all items; only the order says which two belong together."""
    draw = np.random.default_rng(2)
    pairs = np.array([draw.permutation(10) for _ in range(60)])  # items 2p and 2p + 1 are a pair
    order = np.stack([2 * pairs, 2 * pairs + 1], axis=-1).reshape(60, 20)
    frame = rows(
        *((user, item, 5, t) for user, own in enumerate(order) for t, item in enumerate(own))
    )
    near = Ease(regularization=5, near_weight=2.0).fit(frame).weights_
    assert (near.argmax(axis=0) == np.arange(20) ^ 1).all()
    plain = Ease(regularization=5).fit(frame).weights_
    off = ~np.eye(20, dtype=bool)
    np.testing.assert_allclose(plain[off], plain[0, 1], rtol=1e-4)


def test_nearness_keeps_the_matrix_positive_for_the_longest_sequences():
    """One user with one long sequence, and next to no ridge: the worst there is."""
    frame = rows(*((1, item, 5, item) for item in range(400)))
    channel = Ease(near_weight=1e4).fit(frame)
    near = channel._near(Histories(frame, channel.matrix_)).toarray()
    assert np.linalg.eigvalsh(near).min() > 0


def test_an_old_like_weighs_half_after_a_half_life():
    frame = rows((1, 10, 5, 1), (1, 20, 5, 2), (1, 30, 5, 3), (2, 10, 5, 0), (2, 40, 1, 9))
    profiles = ItemKNN(half_life_likes=2).fit(frame).users_.toarray()
    np.testing.assert_allclose(profiles, [[0.5, np.sqrt(0.5), 1, 0], [1, 0, 0, 0]], rtol=1e-6)


def test_every_interaction_can_count_as_a_like(toy):
    assert Popular(min_rating=None).fit(toy).item_score_.tolist() == [4, 2, 2, 2, 1]


def test_user_similarity_against_scikit_learn(interactions):
    from sklearn.metrics.pairwise import cosine_similarity

    channel = UserKNN(n_neighbours=40).fit(interactions)
    likes = likes_of(channel.matrix_).toarray()
    expected = cosine_similarity(likes)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(channel.users_.toarray(), expected, atol=1e-6)
    score = channel._score(channel.users_)
    score = np.where(np.isneginf(score), 0, score)
    np.testing.assert_allclose(score, expected @ likes, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.7])
def test_rp3beta_against_dense_transition_matrices(interactions, beta):
    channel = RP3beta(beta=beta, n_neighbours=60).fit(interactions)
    likes = likes_of(channel.matrix_).toarray().astype(np.float64)
    count = np.maximum(likes.sum(axis=0), 1)
    to_item = likes / np.maximum(likes.sum(axis=1, keepdims=True), 1)
    to_user = likes.T / count[:, None]
    expected = to_user @ to_item / count**beta
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(channel.weights_.toarray(), expected, rtol=1e-4, atol=1e-7)


def test_a_walk_without_beta_ends_by_chance():
    frame = rows((1, 10, 5, 0), (1, 20, 5, 0), (2, 20, 5, 0), (2, 30, 5, 0))
    weights = RP3beta(beta=0.0).fit(frame).weights_.toarray()
    # From 20: to either fan by 1/2, from there to either of two films by 1/2.
    np.testing.assert_allclose(weights[1], [0.25, 0, 0.25])


def test_als_reaches_where_its_gradient_is_zero(interactions):
    """The loss of the paper, written densely: one side's solution has no slope left."""
    channel = ImplicitALS(embedding_dim=3, alpha=2.0, regularization=0.7, sweeps=3)
    channel.fit(interactions)
    likes = (channel.matrix_.ratings.toarray() >= 3.5).astype(np.float64)
    users, items = (v.astype(np.float64) for v in (channel.users_, channel.item_vectors_))
    items = channel.solve(sparse.csr_matrix(likes.T), users)
    confidence = 1 + 2.0 * likes
    slope = (confidence * (users @ items.T - likes)).T @ users + 0.7 * items
    assert np.abs(slope).max() < 1e-9 * np.abs(items).max() * confidence.sum()


def test_als_lowers_its_loss_with_every_sweep(interactions):
    losses = []
    for sweeps in (1, 2, 4, 8):
        channel = ImplicitALS(embedding_dim=3, alpha=2.0, regularization=0.7, sweeps=sweeps)
        channel.fit(interactions)
        likes = (channel.matrix_.ratings.toarray() >= 3.5).astype(np.float64)
        users, items = channel.users_, channel.item_vectors_
        error = (1 + 2.0 * likes) * (likes - users @ items.T) ** 2
        losses.append(error.sum() + 0.7 * (np.square(users).sum() + np.square(items).sum()))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.999 * losses[0]


def test_ease_refuses_a_catalogue_it_can_not_invert(interactions, monkeypatch):
    monkeypatch.setattr("recsys_lib.recall.channels.ease.LARGEST_CATALOGUE", 59)
    with pytest.raises(RecsysError, match="too many"):
        Ease().fit(interactions)


@pytest.mark.parametrize(
    ("recaller", "message"),
    [
        (RecentlyPopular(half_life_days=0), "half_life_days must be positive, not 0"),
        (ItemKNN(n_neighbours=0), "n_neighbours must be at least 1"),
        (ItemKNN(shrinkage=-1), "shrinkage not negative"),
        (Ease(regularization=0), "regularization must be positive"),
        (Ease(dropout=1.0), r"dropout must lie in \[0, 1\), not 1.0"),
        (Ease(agreement_weight=-1.0), "agreement_weight must not be negative, not -1.0"),
        (Ease(near_weight=-1.0), "near_weight must not be negative, not -1.0"),
        (Ease(half_life_likes=0), "half_life_likes must be positive, not 0"),
        (RP3beta(beta=-1), "beta must not be negative"),
        (ImplicitALS(alpha=0), "alpha must be positive, not 0"),
        (Newest(pd.DataFrame({"item_id": [1]})), "column 'release_year'"),
        (FavouritePeople(pd.DataFrame({"item_id": [1]})), "column 'people'"),
        (
            VectorRecaller(EmbeddingTable([1], [[1.0]]), popularity_weight=-1),
            "popularity_weight must not be negative, not -1",
        ),
        (VectorRecaller(EmbeddingTable([1], [[1.0]]), n_recent=0), "n_recent must be at least 1"),
    ],
)
def test_a_wrong_setting_is_named(recaller, message, toy):
    with pytest.raises(RecsysError, match=message):
        recaller.fit(toy)
