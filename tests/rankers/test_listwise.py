"""Learning to rank recalled candidates: losses, model, features, leaks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.splits import earlier_cuts, last_likes
from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import evaluate
from recsys_lib.rankers import (
    STORED_AS,
    RecallOrder,
    StoredHistoryRanker,
    UnknownUser,
    history_rows,
    load_ranker,
)
from recsys_lib.rankers.listwise import (
    FAMILIES,
    LOSSES,
    CandidateFeatures,
    ListwiseConfig,
    ListwiseModel,
    ListwiseRanker,
    RankingLists,
    ranking_lists,
)
from recsys_lib.rankers.listwise.lists import candidates_of
from recsys_lib.rankers.listwise.ratings import RatingModel
from recsys_lib.recall import CoOccurrence, Ease, ImplicitALS, Merged, Popular, load_recaller
from recsys_lib.seeding import generator
from recsys_lib.serving import Cascade, cuts_of, lists_at_cuts, train_cascade
from recsys_lib.stores import MemoryFeatureStore

N_USERS, N_ITEMS = 150, 50
# Few lists need many small steps.
PATIENT = ListwiseConfig(epochs=40, batch_size=16, learning_rate=0.02)


@pytest.fixture(scope="module")
def world() -> pd.DataFrame:
    """Ratings in sittings: each user walks through neighbouring items, some of them disliked."""
    rng = generator(5, "listwise world")
    rows = []
    for user in range(N_USERS):
        at = int(rng.integers(N_ITEMS))
        items = dict.fromkeys((at + np.cumsum(rng.integers(1, 4, 26))) % N_ITEMS)
        for step, item in enumerate(items):
            stars = 5 if rng.random() < 0.8 else 2
            rows.append((user * 3 + 1, int(item) * 2 + 5, stars, user * 1_000_000 + step * 60))
    names = ["user_id", "item_id", "rating", "timestamp"]
    return pd.DataFrame(rows, columns=names).astype({"rating": np.float32})


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    item = np.arange(N_ITEMS)
    years = pd.array([None, *(1980 + item[1:] % 20)], dtype="Int16")
    genres = [[], *(["abc"[i % 3], "all"] for i in item[1:])]
    return pd.DataFrame({"item_id": item * 2 + 5, "release_year": years, "genres": genres})


def recall_of(train: pd.DataFrame) -> Merged:
    channels = {
        "ease": Ease(regularization=10),
        "near": CoOccurrence(window=5),
        "als": ImplicitALS(embedding_dim=4, sweeps=3),
        "popular": Popular(),
    }
    return Merged(channels, fusion="rank", depth=30).fit(train)


def stage(train, items) -> tuple[Merged, CandidateFeatures]:
    recall = recall_of(train)
    return recall, CandidateFeatures(recall.channels, items).fit(train)


@pytest.fixture(scope="module")
def split(world):
    return last_likes(world, n_test=3, n_validation=3, min_train=3)


@pytest.fixture(scope="module")
def served(split, items):
    return stage(split.history("test"), items)


@pytest.fixture(scope="module")
def lists(split, items) -> RankingLists:
    """Training lists of two cuts before the test part."""
    parts = []
    for train, held_out in earlier_cuts(split.history("test"), 2, n_likes=3, min_train=3):
        parts.append(ranking_lists(*stage(train, items), train, held_out, 30))
    return RankingLists.concatenate(parts)


@pytest.fixture(scope="module")
def model(lists) -> ListwiseModel:
    return ListwiseModel.train(lists, PATIENT)


# Cuts


def test_each_cut_divides_what_the_one_before_left(world):
    cuts = earlier_cuts(world, 3, n_likes=2, min_train=4)
    whole = world
    for train, held_out in cuts:
        both = pd.concat([train, held_out])
        keys = ["user_id", "item_id"]
        assert sorted(map(tuple, both[keys].to_numpy())) == sorted(
            map(tuple, whole[keys].to_numpy())
        )
        liked = held_out[held_out["rating"] >= 3.5].groupby("user_id").size()
        assert (liked == 2).all()
        last = train.groupby("user_id")["timestamp"].max()
        first = held_out.groupby("user_id")["timestamp"].min()
        assert (last[first.index] <= first).all()
        whole = train


# Losses


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_the_loss(name):
    rng = generator(1, "loss", name)
    f = rng.normal(size=(4, 6))
    liked = rng.random((4, 6)) < 0.4
    listed = np.ones((4, 6), bool)
    listed[1, 4:] = False
    liked &= listed
    liked[2] = False  # a list without a like
    _, gradient = LOSSES[name](f, liked, listed)
    for place in np.ndindex(f.shape):
        step = np.zeros_like(f)
        step[place] = 1e-5
        ends = [LOSSES[name](f + s, liked, listed)[0] for s in (step, -step)]
        assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)
    assert not gradient[~listed].any()


def test_losses_by_hand():
    f, liked = np.array([[2.0, 0.0, 1.0]]), np.array([[False, True, False]])
    listed = np.ones((1, 3), bool)
    p = np.exp(f[0]) / np.exp(f[0]).sum()
    assert LOSSES["listwise"](f, liked, listed)[0] == pytest.approx(-np.log(p[1]))
    pairs = (np.log1p(np.exp(2.0)) + np.log1p(np.exp(1.0))) / 2
    assert LOSSES["pairwise"](f, liked, listed)[0] == pytest.approx(pairs)
    points = np.log1p(np.exp(2.0)) + np.log1p(np.exp(0.0)) + np.log1p(np.exp(1.0))
    assert LOSSES["pointwise"](f, liked, listed)[0] == pytest.approx(points)


# Model


def made_lists(n: int, k: int, weights, seed: int) -> RankingLists:
    """Lists whose likes follow two features, and not a third; recall's score is noise."""
    rng = generator(seed, "made lists")
    x = rng.normal(size=(n, k, 3)).astype(np.float32)
    truth = x @ np.asarray(weights)
    liked = truth >= np.sort(truth, axis=1)[:, -2:-1]
    ids = np.tile(np.arange(k), (n, 1))
    noise = rng.normal(size=(n, k)).astype(np.float32)
    return RankingLists(("p", "q", "no"), np.arange(n), ids, noise, x, liked, np.full(n, 2))


def first_is_liked(model: ListwiseModel, lists: RankingLists) -> float:
    best = model.score(lists.recalled, lists.features).argmax(axis=1)
    return float(lists.liked[np.arange(len(lists)), best].mean())


@pytest.mark.parametrize("loss", LOSSES)
def test_a_linear_model_finds_the_planted_weights(loss):
    config = ListwiseConfig(loss=loss, epochs=60, learning_rate=0.05, l2=1e-5)
    model = ListwiseModel.train(made_lists(300, 12, [2.0, -1.0, 0.0], 1), config)
    w = model.weights["w"]
    assert w[0] / w[1] == pytest.approx(-2, abs=0.3)
    assert abs(w[2]) < 0.1 * abs(w[0])
    assert abs(model.weights["a"]) < 0.1 * abs(w[0])  # recall's score was noise
    assert model.losses[-1] < 0.75 * model.losses[0]
    assert first_is_liked(model, made_lists(200, 12, [2.0, -1.0, 0.0], 2)) > 0.9


def test_a_network_finds_what_a_linear_model_cannot():
    def bent(seed):
        lists = made_lists(400, 12, [1.0, 0.0, 0.0], seed)
        far = np.abs(lists.features[:, :, 0])  # liked at both ends
        return RankingLists(
            **{**vars(lists), "liked": far >= np.sort(far, axis=1)[:, -2:-1]},
        )

    config = {"epochs": 30, "learning_rate": 0.02, "l2": 1e-5}
    linear, network = (
        ListwiseModel.train(bent(1), ListwiseConfig(hidden=h, **config)) for h in (0, 16)
    )
    assert first_is_liked(network, bent(2)) > 0.8 > first_is_liked(linear, bent(2)) + 0.2


@pytest.mark.parametrize("hidden", [0, 5])
def test_gradients_of_all_weights(hidden):
    lists = made_lists(6, 8, [1.0, 1.0, 0.0], 3)
    model = ListwiseModel.train(lists, ListwiseConfig(hidden=hidden, epochs=2, l2=0.01))
    model.weights = {n: np.asarray(v, np.float64) for n, v in model.weights.items()}
    x = model.scaled(lists.features).astype(np.float64)

    def cost() -> float:
        f = model._forward(lists.recalled, x)[0]
        penalty = sum((v**2).sum() for n, v in model.weights.items() if n in "wWv")
        return LOSSES["listwise"](f, lists.liked, lists.listed)[0] + 0.01 * penalty

    f, layer = model._forward(lists.recalled, x)
    slope = LOSSES["listwise"](f, lists.liked, lists.listed)[1]
    gradient = model._gradient(lists.recalled, x, layer, None, slope)
    for name, value in model.weights.items():
        for place in list(np.ndindex(value.shape))[:10]:
            if name == "b":
                continue
            kept = float(value[place])
            ends = []
            for step in (1e-6, -1e-6):
                changed = value.copy()
                changed[place] = kept + step
                model.weights[name] = changed
                ends.append(cost())
            model.weights[name] = value
            expected = (ends[0] - ends[1]) / 2e-6
            assert gradient[name][place] == pytest.approx(expected, rel=1e-3, abs=1e-6), name


def test_it_starts_as_recalls_order(lists):
    model = ListwiseModel.train(lists, ListwiseConfig(epochs=1, learning_rate=1e-9))
    scores = model.score(lists.recalled, lists.features)
    for row in range(len(lists)):
        listed = lists.listed[row]
        assert (np.diff(scores[row, listed]) <= 1e-5).all()


def test_training_is_repeatable_and_seeds_differ(lists):
    config = ListwiseConfig(hidden=4, epochs=2, dropout=0.3)
    one, same, other = (ListwiseModel.train(lists, config, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.weights["W"], same.weights["W"])
    assert (one.weights["W"] != other.weights["W"]).any()


@pytest.mark.parametrize("hidden", [0, 8])
def test_a_score_is_the_sum_of_what_each_feature_adds(hidden, lists):
    model = ListwiseModel.train(lists, ListwiseConfig(hidden=hidden, epochs=3), seed=7)
    recalled, table = lists.recalled[0], lists.features[0].copy()
    recall, of_features, constant = model.contributions(recalled, table)
    scores = model.score(recalled, table)
    np.testing.assert_allclose(recall + of_features.sum(axis=1) + constant, scores, atol=2e-5)
    # What a feature adds is its slope times its value: a small step of it moves the score so far.
    column = int(np.abs(of_features[0]).argmax())
    value = model.scaled(table)[0, column]
    table[0, column] += 1e-3 * model.stddev[column] * (-1 if value > 0 else 1)  # off the clip
    moved, step = (
        model.score(recalled, table)[0] - scores[0],
        model.scaled(table)[0, column] - value,
    )
    assert moved == pytest.approx(of_features[0, column] / value * step, rel=0.05)


def test_lists_without_a_hit_teach_nothing(lists):
    missed = lists.rows(~lists.liked.any(axis=1))
    assert len(missed) < len(lists)
    nothing = RankingLists(**{**vars(lists), "liked": np.zeros_like(lists.liked)})
    with pytest.raises(RecsysError, match="no order"):
        ListwiseModel.train(nothing)
    config = ListwiseConfig(epochs=2)
    with_them = RankingLists.concatenate([lists, nothing])
    for name, weight in ListwiseModel.train(with_them, config).weights.items():
        np.testing.assert_array_equal(weight, ListwiseModel.train(lists, config).weights[name])


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"loss": "lisywise"}, "listwise"), ({"dropout": 1}, "dropout"), ({"epochs": 0}, "epochs")],
)
def test_settings_that_mean_nothing(settings, words):
    with pytest.raises(RecsysError, match=words):
        ListwiseConfig(**settings)


# Features


def test_every_feature_has_a_family_and_a_meaning(served):
    _, features = served
    assert len(set(features.names)) == len(features.names)
    assert set(features.family_of) == set(features.meaning_of) == set(features.names)


def test_some_features_by_hand(served, split):
    recall, features = served
    history = split.history("test")
    user = int(split.test["user_id"].iloc[0])
    found = candidates_of(recall.lists([user], 30), 0)
    table = pd.DataFrame(features.rows(found), columns=features.names)
    own = history[history["user_id"] == user].sort_values("timestamp")
    item = int(found.item_ids[3])
    of_item = history[history["item_id"] == item]
    n_likes = int((of_item["rating"] >= 3.5).sum())
    assert table["log_likes"][3] == pytest.approx(np.log1p(n_likes), rel=1e-5)
    now = own["timestamp"].max()
    likes = of_item[of_item["rating"] >= 3.5]["timestamp"]
    recent = ((likes >= now - 14 * 86_400) & (likes <= now)).sum()
    assert table["likes_14d"][3] == pytest.approx(np.log1p(recent), rel=1e-5)
    # The first of the channel's own list stands at place 1.
    best = recall.channels["near"].lists([user], 1).item_ids[0, 0]
    where = np.flatnonzero(found.item_ids == best)[0]
    assert table["near.log_rank"][where] == pytest.approx(np.log(2))
    assert table["near.near_top"][where] == pytest.approx(1 / 11)
    als = recall.channels["als"]
    vectors = als.item_vectors_ / np.linalg.norm(als.item_vectors_, axis=1, keepdims=True)
    last = own[own["rating"] >= 3.5]["item_id"].iloc[-1]
    pair = als.matrix_.items_of([item, last])
    assert table["als.mean_1"][3] == pytest.approx(vectors[pair[0]] @ vectors[pair[1]], rel=1e-4)
    assert np.isfinite(table.to_numpy()).all()


def test_a_history_that_comes_along_counts_as_the_same_history(served, split):
    recall, features = served
    history = split.history("test")
    user = int(split.test["user_id"].iloc[0])
    found = candidates_of(recall.lists([user], 20), 0)
    own = history[history["user_id"] == user]
    again = type(found)(**{**vars(found), "history": own})
    expected, folded = features.rows(found), features.rows(again)
    near = [n for n in features.names if n != "expected_rating"]
    at = [features.names.index(name) for name in near]
    np.testing.assert_allclose(folded[:, at], expected[:, at], rtol=1e-3, atol=1e-4)
    # The user's factors are solved once more against the items', after their last sweep.
    np.testing.assert_allclose(folded[:, -1], expected[:, -1], atol=0.3)


def test_expected_ratings_follow_planted_factors():
    rng = generator(4, "planted ratings")
    users, items = rng.normal(size=(80, 2)), rng.normal(size=(60, 2))
    stars = 3 + rng.normal(size=60) * 0.5 + users @ items.T * 0.5
    row, column = np.nonzero(rng.random((80, 60)) < 0.5)
    model = RatingModel(dim=2, regularization=0.01, sweeps=15)
    model.fit(row, column, stars[row, column], stars.shape)
    hidden = np.ones((80, 60), bool)
    hidden[row, column] = False
    expected = np.array([model.expected(u, row[:0], row[:0]) for u in range(80)])
    assert np.abs(expected - stars)[hidden].mean() < 0.25 < np.abs(stars - 3)[hidden].mean()


# Leaks


def table_of(train, held_out, items) -> np.ndarray:
    return ranking_lists(*stage(train, items), train, held_out, 20).features


def test_of_many_users_some_are_drawn_and_their_lists_are_the_same(world, items):
    (train, held_out), *_ = earlier_cuts(world, 1, n_likes=3, min_train=3)
    of = stage(train, items)
    whole = ranking_lists(*of, train, held_out, 20)
    some = ranking_lists(*of, train, held_out, 20, most_users=7)
    assert len(some) == 7 < len(whole)
    place = np.searchsorted(whole.user_ids, some.user_ids)
    np.testing.assert_array_equal(some.item_ids, whole.item_ids[place])
    np.testing.assert_allclose(some.features, whole.features[place], rtol=1e-5, atol=1e-5)
    again = ranking_lists(*of, train, held_out, 20, most_users=7)
    np.testing.assert_array_equal(again.user_ids, some.user_ids)
    assert len(ranking_lists(*of, train, held_out, 20, most_users=10**6)) == len(whole)


def test_what_comes_after_a_cut_changes_no_feature(world, items):
    def features(events: pd.DataFrame, hidden_differs: bool) -> tuple:
        (train, held_out), *_ = earlier_cuts(events, 1, n_likes=3, min_train=3)
        if hidden_differs:
            rng = generator(9, "permuted")
            held_out = held_out.assign(
                item_id=rng.permutation(held_out["item_id"]),
                rating=rng.permutation(held_out["rating"]),
            )
        lists = ranking_lists(*stage(train, items), train, held_out, 20)
        return lists, train, held_out

    plain, train, held_out = features(world, hidden_differs=False)
    permuted, *_ = features(world, hidden_differs=True)
    both = np.intersect1d(plain.user_ids, permuted.user_ids)
    assert len(both) > N_USERS / 2
    rows = [np.searchsorted(lists.user_ids, both) for lists in (plain, permuted)]
    np.testing.assert_array_equal(plain.features[rows[0]], permuted.features[rows[1]])
    assert (plain.liked[rows[0]] != permuted.liked[rows[1]]).any()
    # Deleted, all but one row a user, which says whose lists are wanted.
    deleted = ranking_lists(*stage(train, items), train, held_out.drop_duplicates("user_id"), 20)
    rows = [np.searchsorted(lists.user_ids, deleted.user_ids) for lists in (plain, deleted)]
    np.testing.assert_array_equal(plain.features[rows[0]], deleted.features[rows[1]])


def test_a_planted_leak_is_seen(split, served, lists, items):
    """A feature that knows the outcome must carry the ranking to its ceiling."""

    def leaking(lists: RankingLists) -> RankingLists:
        rng = generator(3, "leak")
        leak = lists.liked + 0.2 * rng.normal(size=lists.liked.shape)
        features = np.concatenate([lists.features, leak[:, :, None].astype("f4")], axis=2)
        return RankingLists(
            **{**vars(lists), "features": features, "names": (*lists.names, "leak")}
        )

    test = ranking_lists(*served, *split.train_test(), 30)

    def hits(model, lists) -> float:
        score = np.where(lists.listed, model.score(lists.recalled, lists.features), -np.inf)
        first = np.argsort(-score, axis=1)[:, :5]
        return float(np.take_along_axis(lists.liked, first, axis=1).sum())

    honest = hits(ListwiseModel.train(lists, PATIENT), test)
    leaked = hits(ListwiseModel.train(leaking(lists), PATIENT), leaking(test))
    assert leaked > 1.3 * honest
    assert leaked > 0.95 * test.liked.sum()


# The ranker in its cascade


def test_the_cascade_is_ahead_of_recall_on_a_planted_world(split, served, model):
    recall, features = served
    ranked, plain = (
        Cascade(recall, ranker, candidates=30)
        for ranker in (ListwiseRanker(model, features), RecallOrder())
    )
    ahead = evaluate(ranked, *split.train_test(), ks=(5,)).difference(
        evaluate(plain, *split.train_test(), ks=(5,)), "ndcg_at_5"
    )
    assert ahead.low > 0


@pytest.mark.parametrize("kept", [None, "item"])
def test_it_says_what_each_family_of_features_adds(kept, lists, split, served):
    recall, features = served
    names = tuple(n for n in features.names if kept in (None, features.family_of[n]))
    model = ListwiseModel.train(lists.columns(names), ListwiseConfig(hidden=4, epochs=2), seed=5)
    ranker = ListwiseRanker(model, features)
    found = candidates_of(recall.lists([split.test["user_id"].iloc[0]], 20), 0)
    scores, terms = ranker.explain(found)
    np.testing.assert_array_equal(scores, ranker.score(found))
    families = FAMILIES if kept is None else (kept,)
    assert list(terms) == ["recall score", *families, "constant"]
    np.testing.assert_allclose(sum(terms.values()), scores, atol=2e-5)


def test_the_cascade_serves_folded_histories(split, served, model):
    recall, features = served
    cascade = Cascade(recall, ListwiseRanker(model, features), candidates=30)
    history = split.history("test")
    user = int(split.test["user_id"].iloc[0])
    own = history[history["user_id"] == user]
    known = cascade.recommend(user, 5)["item_id"].tolist()
    assert cascade.recommend(user, 5, histories=own)["item_id"].tolist() == known
    new = own.assign(user_id=10**6)
    ten = cascade.recommend(10**6, 5, histories=new)["item_id"].tolist()
    assert len(set(ten) & set(known)) >= 4


def test_lists_of_training_are_those_of_service(split, served, model):
    recall, features = served
    train, test = split.train_test()
    table = ranking_lists(recall, features, train, test, 30)
    ranker = ListwiseRanker(model, features)
    together = model.score(table.recalled, table.features)
    for row in range(5):
        found = candidates_of(recall.lists([table.user_ids[row]], 30), 0)
        np.testing.assert_allclose(
            ranker.score(found), together[row, table.listed[row]], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("hidden", [0, 4])
def test_saved_and_loaded_it_scores_the_same(hidden, lists, split, served, tmp_path):
    recall, features = served
    some = lists.columns(lists.names[2:20])
    model = ListwiseModel.train(some, ListwiseConfig(hidden=hidden, epochs=2))
    ranker = ListwiseRanker(model, features)
    ranker.save(tmp_path / "ranker")
    found = candidates_of(recall.lists([split.test["user_id"].iloc[0]], 30), 0)
    loaded = load_ranker(tmp_path / "ranker")
    np.testing.assert_array_equal(loaded.score(found), ranker.score(found))


def test_lists_are_saved_and_loaded(lists, tmp_path):
    lists.save(tmp_path / "lists.npz")
    again = RankingLists.load(tmp_path / "lists.npz")
    assert again.names == lists.names
    np.testing.assert_array_equal(again.features, lists.features)


def test_channels_of_other_events_are_refused(split, served, items):
    with pytest.raises(RecsysError, match="other events"):
        CandidateFeatures(served[0].channels, items).fit(split.train)


def test_ndcg_of_lists_is_that_of_the_evaluation(split, served, model):
    recall, features = served
    cascade = Cascade(recall, ListwiseRanker(model, features), candidates=30)
    lists = ranking_lists(recall, features, *split.train_test(), 30)
    expected = evaluate(cascade, *split.train_test(), ks=(5,)).per_user["ndcg_at_5"]
    np.testing.assert_allclose(lists.ndcg(model.order(lists), 5), expected)


def test_items_that_nothing_was_fitted_on_are_scored_as_unknown(split, served):
    recall, features = served
    found = candidates_of(recall.lists([split.test["user_id"].iloc[0]], 10), 0)
    ids = found.item_ids.copy()
    ids[[0, 4]] = [10**7, 10**7 + 1]
    table = features.rows(replace(found, item_ids=ids))
    missing = features.names.index("ease.missing")
    assert table[[0, 4], missing].tolist() == [1, 1]
    assert not table[[0, 4], features.names.index("log_likes")].any()
    kept = [1, 2, 3, 5, 6, 7, 8, 9]
    of_channel = features.names.index("near.log_rank")
    np.testing.assert_array_equal(table[kept, of_channel], features.rows(found)[kept, of_channel])


def test_a_history_in_a_store_counts_as_one_that_comes_along(split, served, model):
    recall, features = served
    history = split.history("test")
    user = int(split.test["user_id"].iloc[0])
    found = candidates_of(recall.lists([user], 20), 0)
    inner = ListwiseRanker(model, features)
    store = MemoryFeatureStore(types=STORED_AS)
    store.publish(history_rows(history), "monday")
    ranker = StoredHistoryRanker(inner, store)
    own = history[history["user_id"] == user]
    expected = inner.score(replace(found, history=own))
    np.testing.assert_allclose(ranker.score(found), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(UnknownUser):
        ranker.score(replace(found, user_id=10**6))


def test_a_cascade_is_trained_whole_and_saved(world, items, tmp_path):
    split = last_likes(world)
    recall = Merged(
        {"ease": Ease(regularization=10), "als": ImplicitALS(embedding_dim=4)},
        fusion="rank",
        depth=20,
    ).fit(split.history("test"))
    config = ListwiseConfig(epochs=2)
    cascade = train_cascade(recall, split, items, config)
    cuts = cuts_of(split, 2)
    assert cuts[0][1] is split.validation
    first = lists_at_cuts(recall, cuts[:1], items)[0]
    assert first.names == cascade.ranker.model.names
    cascade.save(tmp_path / "cascade")
    users = split.test["user_id"].unique()[:5]
    again = load_recaller(tmp_path / "cascade").recommend(users, 5)
    pd.testing.assert_frame_equal(again, cascade.recommend(users, 5))
