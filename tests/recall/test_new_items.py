"""Films that nobody has rated: vectors from content, and places in lists."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from recsys_lib.data import Interactions
from recsys_lib.errors import RecsysError
from recsys_lib.recall import Ease, ImplicitALS, WithNewItems, load_recaller
from recsys_lib.recall.cold_start import (
    ContentEncoder,
    ContentRidge,
    DropoutNet,
    MeanOfSimilar,
    NewItemTrial,
    updated_vectors,
)
from recsys_lib.recall.cold_start.content import _gradients
from recsys_lib.seeding import generator

SIDE = pd.DataFrame(
    [(1, "genre", "a"), (1, "genre", "b"), (2, "genre", "a"), (3, "genre", "c"), (4, "genre", "b")],
    columns=["item_id", "field", "value"],
)


def test_content_by_hand():
    encoder = ContentEncoder.of(SIDE)
    assert encoder.values == ["genre=a", "genre=b", "genre=c"]
    assert encoder.weights == pytest.approx(np.log([2, 2, 4]))
    half = np.sqrt(0.5)
    got = encoder.encode(SIDE, np.array([1, 3, 9]))
    assert got == pytest.approx(np.array([[half, half, 0], [0, 0, 1], [0, 0, 0]]))


def test_values_that_were_not_learned_count_for_nothing():
    new = pd.DataFrame({"item_id": [7, 7], "field": "genre", "value": ["a", "z"]})
    assert ContentEncoder.of(SIDE).encode(new, np.array([7])) == pytest.approx(
        np.array([[1, 0, 0]])
    )


def test_the_mean_of_similar_films_by_hand():
    content = np.array([[1, 0], [0.6, 0.8], [0, 1.0]])
    vectors = np.array([[2.0, 0], [0, 4], [6, 6]])
    model = MeanOfSimilar(k=2).fit(content, vectors)
    got = model.predict(np.array([[1.0, 0], [0, 0]]))
    assert got[0] == pytest.approx((1 * vectors[0] + 0.6 * vectors[1]) / 1.6)
    assert got[1] == pytest.approx(vectors.mean(axis=0))  # of which nothing is known


def test_ridge_finds_a_linear_map_and_shrinks_to_the_mean():
    rng = generator(1, "content")
    content, weights = rng.random((300, 5)), rng.normal(size=(5, 3))
    vectors = content @ weights + 2
    exact = ContentRidge(regularization=1e-6).fit(content, vectors)
    assert exact.predict(content[:9]) == pytest.approx(vectors[:9], abs=1e-4)
    flat = ContentRidge(regularization=1e9).fit(content, vectors)
    assert flat.predict(content[:1])[0] == pytest.approx(vectors.mean(axis=0), abs=1e-3)


def test_the_networks_gradients_agree_with_finite_differences():
    rng = generator(2, "gradients")
    weights = {
        "hidden": rng.normal(size=(4, 3)),
        "hidden_bias": rng.normal(size=3),
        "out": rng.normal(size=(3, 2)),
        "out_bias": rng.normal(size=2),
    }
    x, target, metric = rng.normal(size=(5, 4)), rng.normal(size=(5, 2)), np.diag([1.0, 3.0])

    def loss():
        hidden = np.tanh(x @ weights["hidden"] + weights["hidden_bias"])
        gap = hidden @ weights["out"] + weights["out_bias"] - target
        decay = sum(np.square(weights[name]).sum() for name in ("hidden", "out"))
        return (gap @ metric * gap).sum() / len(x) + 0.01 / 2 * decay

    analytic = _gradients(weights, x, target, metric, 0.01)
    for name, array in weights.items():
        for place in [tuple(0 for _ in array.shape), tuple(n - 1 for n in array.shape)]:
            kept, step = array[place], 1e-6
            array[place] = kept + step
            high = loss()
            array[place] = kept - step
            low = loss()
            array[place] = kept
            assert analytic[name][place] == pytest.approx((high - low) / (2 * step), rel=1e-4)


def test_dropoutnet_uses_the_vector_where_there_is_one_and_content_where_not():
    """Content tells one of two numbers, the vector both; at dropout 1 it is not seen."""
    rng = generator(3, "dropoutnet")
    vectors = rng.normal(size=(600, 2))
    content = vectors[:, :1] + 0.1 * rng.normal(size=(600, 1))
    model = DropoutNet(epochs=80, weight_decay=0).fit(content[:500], vectors[:500])
    held_out, truth = content[500:], vectors[500:]
    cold, warm = model.predict(held_out), model.predict(held_out, truth)
    explained = [1 - np.square(truth - p).mean(axis=0) / truth.var(axis=0) for p in (cold, warm)]
    assert explained[0][0] > 0.8
    assert explained[0][1] < 0.2
    assert min(explained[1]) > 0.8
    alone = DropoutNet(dropout=1, epochs=3).fit(content, vectors)
    weights = dict(alone.weights_)
    again = DropoutNet(dropout=1, epochs=3).fit(content, vectors)
    assert all(np.array_equal(weights[name], again.weights_[name]) for name in weights)


def test_first_likes_move_a_guess_towards_those_who_gave_them(interactions):
    factors = ImplicitALS(embedding_dim=4, sweeps=3).fit(interactions)
    guess = np.zeros((2, 4))
    fans = np.zeros((2, factors.matrix_.n_users))
    group = (factors.matrix_.user_ids - 1) // 3 % 3
    fans[0, np.flatnonzero(group == 0)[:6]] = 1
    likes = sparse.csr_matrix(fans)
    got = updated_vectors(guess, likes, factors, weight=2.0)
    # With the users fixed the film's vector is a ridge regression: by hand.
    x, reg = factors.users_.astype(float), factors.regularization
    left = x.T @ x + (x * fans[0, :, None]).T @ x + reg * np.eye(4)
    assert got[0] == pytest.approx(2 * np.linalg.solve(left, 2 * x.T @ fans[0]))
    assert got[1] == pytest.approx(guess[1])  # nobody has liked it yet
    score = x @ got[0]
    assert score[group == 0].mean() > 2 * score[group != 0].mean()
    assert updated_vectors(guess + 1, likes, factors, weight=0) == pytest.approx(guess + 1)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MeanOfSimilar(k=0), "k must be at least 1, not 0"),
        (ContentRidge(regularization=0), "regularization must be positive, not 0"),
        (DropoutNet(dropout=2), r"dropout must lie in \[0, 1\], not 2"),
    ],
)
def test_settings_that_mean_nothing_are_refused(model, message):
    with pytest.raises(RecsysError, match=message):
        model.fit(np.eye(3), np.eye(3))


# Places in lists

NEW = pd.DataFrame(
    {
        "item_id": [9_001, 9_002, 9_003],
        "title": ["new a", "new b", "new c"],
        "genres": [["a", "all"], ["b", "all"], ["c", "all"]],
        "release_year": [1992, 1992, 1992],
    }
)


@pytest.fixture(scope="module")
def fitted(interactions, items) -> WithNewItems:
    factors = ImplicitALS(embedding_dim=6, regularization=2, sweeps=5)
    recaller = WithNewItems(Ease(regularization=5), items, one_in=4, factors=factors)
    return recaller.fit(interactions)


@pytest.fixture
def grown(interactions, items, fitted, tmp_path) -> WithNewItems:
    fitted.save(tmp_path / "before")
    grown = load_recaller(tmp_path / "before")  # a copy of its own
    grown.add_items(NEW)
    return grown


def genre_of_user(user: int) -> str:
    return "abc"[(user - 1) // 3 % 3]


def test_before_new_items_come_the_lists_are_the_recallers(fitted, interactions):
    users = interactions["user_id"].unique()
    np.testing.assert_array_equal(
        fitted.lists(users, 10).item_ids, fitted.recaller.lists(users, 10).item_ids
    )


def test_each_user_is_shown_the_new_film_of_their_taste_in_the_place_kept_for_it(
    grown, interactions
):
    users = interactions["user_id"].unique()
    found = grown.recommend(users, 10)
    fresh = found[found["item_id"].isin(NEW["item_id"])]
    assert set(fresh["rank"]) == {4, 8}
    assert fresh["channel"].unique().tolist() == ["with_new_items"]
    first = fresh[fresh["rank"] == 4].set_index("user_id")["item_id"]
    genre = NEW.set_index("item_id")["genres"].str[0]
    right = [genre[item] == genre_of_user(user) for user, item in first.items()]
    assert np.mean(right) > 0.9
    # The others are the recaller's own, in its order.
    rest = found[~found["item_id"].isin(NEW["item_id"])]
    own = grown.recaller.recommend(users, 8)
    assert rest["item_id"].tolist() == own["item_id"].tolist()


def test_scores_fall_and_a_short_list_is_the_head_of_a_long_one(grown, interactions):
    users = interactions["user_id"].unique()
    found = grown.lists(users, 20)
    assert (found.scores[:, :-1] >= found.scores[:, 1:]).all()
    np.testing.assert_array_equal(grown.lists(users, 9).item_ids, found.item_ids[:, :9])
    for ids in found.item_ids:
        assert len(set(ids[ids >= 0])) == (ids >= 0).sum()


def test_a_new_film_that_was_seen_is_not_shown_again(grown, interactions):
    user = interactions["user_id"].iloc[0]
    own = interactions[interactions["user_id"] == user]
    before = grown.recommend(user, 8)
    shown = before[before["channel"] == "with_new_items"]["item_id"].iloc[0]
    seen = pd.concat([own, own.tail(1).assign(item_id=shown)])
    after = grown.recommend(user, 8, histories=seen)
    assert shown not in after["item_id"].tolist()
    assert (after["channel"] == "with_new_items").sum() == 2
    barred = pd.DataFrame({"user_id": [user], "item_id": [shown]})
    assert shown not in grown.recommend(user, 8, exclude=barred)["item_id"].tolist()


def test_a_new_user_with_a_history_is_shown_new_films_and_a_stranger_none(grown):
    history = [5 + 7 * i for i in range(0, 30, 3)]  # of the first group
    found = grown.recommend("x", 8, histories={"x": history})
    fresh = found[found["channel"] == "with_new_items"]["item_id"].tolist()
    assert fresh[0] == 9_001
    assert grown.recommend("x", 8).empty


def test_new_items_are_saved_and_text_ids_come_back(interactions, items, tmp_path):
    factors = ImplicitALS(embedding_dim=6, regularization=2, sweeps=5)
    as_text = {"item_id": lambda t: "film " + t["item_id"].astype(str)}
    model = WithNewItems(Ease(), items.assign(**as_text), one_in=2, factors=factors)
    model.fit(Interactions.from_frame(interactions.assign(**as_text)))
    model.add_items(NEW.assign(**as_text).iloc[:1])
    model.add_items(NEW.assign(**as_text).iloc[1:])
    user = interactions["user_id"].iloc[0]
    table = model.recommend(user, 8)
    fresh = table[table["channel"] == "with_new_items"]["item_id"]
    assert set(fresh) == set(NEW.assign(**as_text)["item_id"])
    model.save(tmp_path / "model")
    pd.testing.assert_frame_equal(load_recaller(tmp_path / "model").recommend(user, 8), table)


def test_a_new_film_may_come_with_little(grown, interactions):
    """With a genre alone it finds its users; with nothing it is an average film."""
    grown.add_items(pd.DataFrame({"item_id": [9_004], "genres": [["c"]]}))
    grown.add_items(pd.DataFrame({"item_id": [9_005]}))
    vector = dict(zip(grown.new_ids_.tolist(), grown.new_vectors_, strict=True))
    factors = grown.factors_
    score = factors.users_ @ vector[9_004]
    fans = np.array([genre_of_user(user) == "c" for user in factors.matrix_.user_ids])
    assert score[fans].mean() > 1.5 * score[~fans].mean()
    taught = np.isin(factors.matrix_.item_ids, grown.items["item_id"][:-1])
    # The last film of the table has no content, so it taught nothing.
    mean = factors.item_vectors_[taught].mean(axis=0)
    assert vector[9_005] == pytest.approx(mean, abs=1e-5)


def test_known_films_and_bad_quotas_are_refused(grown, items, interactions):
    with pytest.raises(RecsysError, match="Item 5 is not new"):
        grown.add_items(items.head(1))
    with pytest.raises(RecsysError, match="one_in must be at least 2, not 1"):
        WithNewItems(Ease(), items, one_in=1).fit(interactions)
    with pytest.raises(RecsysError, match="only after fit"):
        WithNewItems(Ease(), items).add_items(NEW)


# The trial


def test_the_trial_sees_content_that_helps(interactions, items):
    """A positive control: genre is the planted taste, so the right genre beats a wrong one."""
    side = items.explode("genres")[["item_id", "genres"]].dropna().query("genres != 'all'")
    side = side.rename(columns={"genres": "value"}).assign(field="genre")
    wrong = side.assign(value=generator(5, "wrong").permutation(side["value"]))

    def by(of):
        def vectors(trial, warm, fold):
            known, new = trial.content(warm, fold, of)
            return ContentRidge().fit(known, warm.item_vectors_).predict(new)

        return vectors

    trial = NewItemTrial(
        interactions,
        side,
        factors=lambda: ImplicitALS(embedding_dim=6, regularization=2),
        n_folds=4,
    )
    figures, chosen = trial.run(
        {"right": [by(side)], "wrong": [by(wrong)], "either": [by(wrong), by(side)]}
    )
    mean = figures.mean()
    assert mean["right"] > mean["wrong"] + 0.1
    assert chosen["either"].tolist() == [1, 1, 1, 1]  # validation films choose the right one
    assert mean["either"] == mean["right"]


def test_no_rating_of_a_new_film_is_learned_from(interactions, items):
    trial = NewItemTrial(interactions, items, n_folds=3)
    warm = trial.warm(0)
    assert not set(trial.cold(0)) & set(warm.matrix_.item_ids)
    assert set(trial.cold(0)) | set(warm.matrix_.item_ids) == set(interactions["item_id"])
    assert not set(trial.cold(1)) & set(trial.warm(0, 1).matrix_.item_ids)
    with pytest.raises(RecsysError, match="n_folds must be at least 3"):
        NewItemTrial(interactions, items, n_folds=2)


@pytest.mark.filterwarnings("error")
def test_where_no_film_has_content_a_new_one_gets_a_vector_of_zeros():
    """Data without titles, genres and years; before, the vector held NaN, with a warning."""
    learned = ContentRidge().fit(np.zeros((0, 3)), np.zeros((0, 2)))
    assert learned.predict(np.eye(3)).tolist() == [[0, 0]] * 3
