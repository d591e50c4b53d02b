"""The service meets users and films that it has not learned: what a sensible answer is."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.rankers import NetworkRanker, UserFeatureTable
from recsys_lib.recall import (
    Ease,
    ImplicitALS,
    ItemKNN,
    Newcomers,
    Popular,
    SegmentPopular,
    WithNewItems,
    load_recaller,
)
from recsys_lib.serving import Cascade, Recommender
from recsys_lib.serving.cascade import features_at_birth
from recsys_lib.stores import ItemFeatureTable

N_FILMS = 24  # films 1 to 12 are for children, 13 to 24 are not


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Users of ten to 120 like the films of their half; two of three of them."""
    rows = [
        (user * 10, film, 5.0, user * 100 + film)
        for user in range(1, 13)
        for film in range(1, N_FILMS + 1)
        if (film <= 12) == (user <= 6) and (film + user) % 3
    ]
    return pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])


@pytest.fixture(scope="module")
def films() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_id": range(1, N_FILMS + 1),
            "title": [f"film {i}" for i in range(1, N_FILMS + 1)],
            "release_year": pd.array([1995] * N_FILMS, dtype="Int16"),
            "genres": [["Children's"] if i <= 12 else ["Film-Noir"] for i in range(1, 25)],
        }
    )


@pytest.fixture
def service(events, films, model, item_frame, users) -> Recommender:
    """A cascade over a recaller with places for new films, and newcomers by age."""
    ages = pd.DataFrame({"user_id": range(10, 121, 10)})
    ages["age_band"] = np.where(ages["user_id"] <= 60, "0-17", "25-34")
    newcomer = SegmentPopular(ages, columns=("age_band",), prior_users=2)
    newcomers = Newcomers(newcomer, ItemKNN(), half_events=3).fit(events)
    factors = ImplicitALS(embedding_dim=3, regularization=1)
    recaller = WithNewItems(Ease(regularization=5), films, one_in=4, factors=factors)
    ranker = NetworkRanker(model, ItemFeatureTable(item_frame), UserFeatureTable(users))
    cascade = Cascade(recaller, ranker, candidates=8, ranking_weight=0.0).fit(events)
    default = Popular().fit(events).recommend("x", 24, histories={"x": []})["item_id"]
    return Recommender(cascade, default, newcomers=newcomers)


def test_a_stranger_gets_the_default_list(service):
    answer = service.recommend(777, k=5)
    assert answer.source == "default"
    assert answer.item_ids == tuple(service.default_items[:5])


@pytest.mark.parametrize(("age_band", "films"), [("0-17", range(1, 13)), ("25-34", range(13, 25))])
def test_a_registered_newcomer_gets_what_people_of_that_age_like(service, age_band, films):
    service.newcomers.register(pd.DataFrame({"user_id": [777], "age_band": [age_band]}))
    answer = service.recommend(777, k=5)
    assert answer.source == "newcomer"
    assert answer.reason == "Nothing is recalled for user 777."
    assert set(answer.item_ids) <= set(films)


def test_a_newcomers_clicks_change_the_list_at_once(service):
    """A child who likes film noir is shown film noir after some films, and none of them again."""
    service.newcomers.register(pd.DataFrame({"user_id": [777], "age_band": ["0-17"]}))
    before = service.recommend(777, k=5)
    for film in range(13, 19):
        service.feedback(777, film)
    after = service.recommend(777, k=5)
    assert set(before.item_ids) <= set(range(1, 13))
    assert set(after.item_ids) <= set(range(19, 25))
    assert after.source == "newcomer"


def test_a_stranger_is_answered_by_clicks_alone(service):
    for film in range(13, 19):
        service.feedback("visitor", film)
    assert set(service.recommend("visitor", k=4).item_ids) <= set(range(19, 25))


def test_newcomers_that_fail_cost_only_the_personal_touch(service, caplog):
    service.newcomers.register(pd.DataFrame({"user_id": [777], "age_band": ["0-17"]}))
    service.newcomers.newcomer.class_scores_ = None
    answer = service.recommend(777, k=5)
    assert answer.source == "default"
    assert "no newcomer's list for user 777" in caplog.text


NEW_FILM = pd.DataFrame(
    {"item_id": [500, 501], "title": ["one", "two"], "release_year": [1996, 1996]}
).assign(genres=[["Children's"], ["Film-Noir"]])


def test_a_film_added_after_training_reaches_those_whose_taste_it_is(service):
    service.cascade.add_items(NEW_FILM)
    for user in range(10, 121, 10):
        lines = service.cascade.explain(user, k=8)
        shown = [line.item_id for line in lines if line.channel == "with_new_items"]
        # Two of eight places: the film of one's taste comes first.
        assert shown[0] == (500 if user <= 60 else 501)
        assert [line.recall_place for line in lines if line.item_id in (500, 501)] == [4, 8]
        assert all(0 < line.like_probability < 1 for line in lines)
    assert 500 in service.recommend(10, k=8).item_ids


def test_a_new_film_is_ranked_by_what_is_known_of_it(service, users):
    """Its score is that of a film with its year and genre, without ratings."""
    service.cascade.add_items(NEW_FILM)
    ranker = service.cascade.ranker
    user = users.iloc[0].dropna().to_dict()
    (score,) = ranker.score_items(user, np.array([500]))
    table = ranker.items.frame.set_index("item_id")
    assert table.loc[500, ["release_year", "item_genre_1", "item_rating_count"]].tolist() == [
        1996,
        "Children's",
        0,
    ]
    assert pd.isna(table.loc[500, "item_rating_mean"])
    known = table.index[0]
    before = ranker.score_items(user, np.array([known]))
    ranker.add_items(features_at_birth(NEW_FILM.assign(item_id=[600, 601])))
    assert ranker.score_items(user, np.array([known])) == pytest.approx(before)
    assert ranker.score_items(user, np.array([600])) == pytest.approx(score)


def test_a_cascade_with_new_films_is_saved(service, tmp_path):
    service.cascade.add_items(NEW_FILM)
    service.cascade.save(tmp_path / "cascade")
    loaded = load_recaller(tmp_path / "cascade")
    pd.testing.assert_frame_equal(loaded.recommend([10, 120]), service.cascade.recommend([10, 120]))


def test_a_cascade_without_places_for_new_films_says_how_to_make_some(cascade):
    with pytest.raises(RecsysError, match=r"put it into WithNewItems\(recaller, items\)"):
        cascade.add_items(NEW_FILM)
