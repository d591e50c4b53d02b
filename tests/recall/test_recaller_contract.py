"""What every recaller owes its caller, whatever it has learned."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data import Interactions
from recsys_lib.errors import RecsysError
from recsys_lib.rankers import Ranker
from recsys_lib.recall import (
    AttributeRidge,
    Calibration,
    ClusterPopular,
    CoOccurrence,
    Ease,
    FavouriteGenre,
    FavouritePeople,
    ImplicitALS,
    Interview,
    ItemKNN,
    Merged,
    Newcomers,
    Newest,
    Popular,
    RandomRecaller,
    RecentlyPopular,
    RP3beta,
    SegmentPopular,
    SessionEase,
    Transitions,
    TunedMerge,
    TwoTower,
    UserKNN,
    VectorRecaller,
    WithNewItems,
    load_recaller,
)
from recsys_lib.recall.registry import CHANNELS
from recsys_lib.serving import Cascade

UNKNOWN_USER = 999_999


class LowIdsFirst(Ranker):
    """A ranker that can be saved, sure of itself and wrong."""

    def score(self, candidates):
        return 1 / (1 + candidates.item_ids)

    def _save(self, folder):
        return {}

    @classmethod
    def _load(cls, folder, described, users):
        return cls()


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
        dropout=0.3,
        rating_weight=0.2,
        user_damping=0.5,
        agreement_weight=0.5,
        near_weight=1.0,
        min_rating=None,
        half_life_likes=4,
    ),
    "session_ease": lambda items, table: SessionEase(regularization=5, window=8),
    "co_occurrence": lambda items, table: CoOccurrence(window=8),
    "transitions": lambda items, table: Transitions(window=4),
    "als": lambda items, table: ImplicitALS(embedding_dim=4, sweeps=2),
    "two_tower": lambda items, table: TwoTower(embedding_dim=4, epochs=1),
    "vectors": lambda items, table: VectorRecaller(table, n_recent=5),
    "vectors_popular": lambda items, table: VectorRecaller(table, popularity_weight=0.1),
    "tuned": lambda items, table: TunedMerge(channels=("popular", "item_knn")),
    "tuned_single": lambda items, table: TunedMerge(channels=("popular", "rp3beta"), merge=False),
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
    "segment_popular": lambda items, table: SegmentPopular(
        USERS, columns=("gender", "occupation"), prior_users=5
    ),
    "cluster_popular": lambda items, table: ClusterPopular(USERS, n_clusters=3, prior_users=5),
    "attribute_ridge": lambda items, table: AttributeRidge(USERS, regularization=5),
    "interview": lambda items, table: Interview(depth=8, min_users=1, n_candidates=60),
    "newcomers": lambda items, table: Newcomers(
        SegmentPopular(USERS, columns=("gender",)), ItemKNN(), half_events=5
    ),
    "with_new_items": lambda items, table: WithNewItems(
        Popular(), items, one_in=3, factors=ImplicitALS(embedding_dim=4, sweeps=2)
    ),
    "cascade": lambda items, table: Cascade(
        Merged({"ease": Ease(regularization=5), "genre": FavouriteGenre(items)}),
        LowIdsFirst(),
        candidates=60,
        ranking_weight=0.4,
    ),
}
# What is known of the users besides their events; of the last ones nothing is.
USERS = pd.DataFrame(
    {
        "user_id": np.arange(30) * 3 + 1,
        "gender": [["F", "M", ""][i % 3] for i in range(30)],
        "occupation": [["cook", "pilot"][i % 2] for i in range(30)],
    }
)
IMPERSONAL = (
    *("popular", "recently_popular", "newest", "random", "with_new_items"),
    *("segment_popular", "cluster_popular", "attribute_ridge"),
)
# Not to know any film is an answer, too.
READS_SILENCE = ("interview",)
# Their places shift when an item is left out: an item's score depends on its company.
SCORED_IN_COMPANY = (Merged, TunedMerge, Cascade, Newcomers)


@pytest.fixture(scope="module", params=MAKERS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def make(name, items, table):
    """Return a function that makes the recaller under test, unfitted."""
    return lambda items=items: MAKERS[name](items, table)


@pytest.fixture(scope="module")
def fitted(make, interactions):
    return make().fit(interactions)


@pytest.fixture(scope="module")
def loaded(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "recaller"
    fitted.save(folder)
    return load_recaller(folder)


@pytest.fixture(scope="module")
def user_ids(interactions) -> np.ndarray:
    return interactions["user_id"].unique()


@pytest.fixture(scope="module")
def text(interactions) -> pd.DataFrame:
    """The same interactions with text for ids, in which no order of the numbers is left."""
    return interactions.assign(
        user_id=interactions["user_id"].map(as_user), item_id=interactions["item_id"].map(as_item)
    )


def as_user(user: int) -> str:
    return f"{user * 7919 % 1000:03}-ü{user}"


def as_item(item: int) -> str:
    return f"{item * 104729 % 1000:03}/{item}"


def pairs(lists) -> set:
    frame = lists.to_frame()
    return set(zip(frame["user_id"], frame["item_id"], strict=True))


def same(got, want) -> None:
    """Assert that two lists are the same to the last bit."""
    np.testing.assert_array_equal(got.user_ids, want.user_ids)
    np.testing.assert_array_equal(got.item_ids, want.item_ids)
    np.testing.assert_array_equal(got.scores, want.scores)
    np.testing.assert_array_equal(got.channels, want.channels)


def alike(got, want) -> None:
    """Assert that two lists name the same items with the same scores but for rounding."""
    np.testing.assert_array_equal(got.item_ids, want.item_ids)
    np.testing.assert_allclose(got.scores, want.scores, rtol=1e-4, atol=1e-6)


def test_every_channel_is_under_contract():
    assert set(CHANNELS) <= set(MAKERS)


# Answers


def test_it_says_what_it_is(make):
    recaller = make()
    assert repr(recaller).startswith(f"{type(recaller).__name__}(")
    assert len(repr(recaller)) < 250


def test_fit_returns_the_recaller(make, interactions):
    recaller = make()
    assert recaller.fit(interactions) is recaller


def test_a_table_of_recommendations(fitted, user_ids):
    asked = [user_ids[5], UNKNOWN_USER, user_ids[0]]
    table = fitted.recommend(asked, 4)
    assert table.columns.tolist() == ["user_id", "item_id", "score", "rank", "channel"]
    kinds = table.dtypes
    assert (kinds["user_id"], kinds["item_id"], kinds["score"]) == (np.int64, np.int64, np.float32)
    assert table["user_id"].unique().tolist() == [user_ids[5], user_ids[0]]
    for _, one in table.groupby("user_id"):
        assert one["rank"].tolist() == list(range(1, len(one) + 1))
    lists = fitted.lists(asked, 4)
    assert table["item_id"].tolist() == lists.item_ids[lists.listed].tolist()
    assert table["channel"].tolist() == lists.channels[lists.listed].tolist()
    assert (table["channel"] != "").all()
    pd.testing.assert_frame_equal(
        fitted.recommend(user_ids[5], 4), table[table["user_id"] == user_ids[5]]
    )


def test_shapes_and_types(fitted, user_ids):
    found = fitted.lists(user_ids, 7)
    shape = (len(user_ids), 7)
    assert found.item_ids.shape == found.scores.shape == found.channels.shape == shape
    assert found.item_ids.dtype == np.int64
    assert found.scores.dtype == np.float32
    assert found.listed.any()
    assert not np.isnan(found.scores).any()
    np.testing.assert_array_equal(found.channels == "", ~found.listed)


def test_best_first_and_no_item_twice(fitted, user_ids):
    found = fitted.lists(user_ids, 20)
    assert (found.scores[:, :-1] >= found.scores[:, 1:]).all()
    for row in found.item_ids:
        listed = row[row >= 0]
        assert len(np.unique(listed)) == len(listed)


def test_seen_items_are_never_returned(fitted, user_ids, interactions):
    seen = set(zip(interactions["user_id"], interactions["item_id"], strict=True))
    assert not pairs(fitted.lists(user_ids, 60)) & seen
    user = user_ids[4]
    expected = sorted(interactions.loc[interactions["user_id"] == user, "item_id"])
    assert fitted.seen_items(user).tolist() == expected
    assert fitted.seen_items(UNKNOWN_USER).tolist() == []


def test_excluded_pairs_are_not_returned_and_others_take_their_place(fitted, user_ids):
    before = fitted.lists(user_ids, 5)
    first = before.head(1).to_frame()
    after = fitted.lists(user_ids, 5, exclude=first[["user_id", "item_id"]])
    assert not pairs(after) & pairs(before.head(1))
    if not isinstance(fitted, SCORED_IN_COMPANY):
        np.testing.assert_array_equal(after.item_ids[:, :4], before.item_ids[:, 1:])


def test_an_empty_exclusion_excludes_nothing(fitted, user_ids):
    nothing = pd.DataFrame({"user_id": [], "item_id": []}, dtype=np.int64)
    same(fitted.lists(user_ids, 5, exclude=nothing), fitted.lists(user_ids, 5))
    assert (
        len(fitted.recommend(user_ids, 5, exclude=nothing))
        == fitted.lists(user_ids, 5).listed.sum()
    )


def test_exclusions_of_unknown_users_and_items_are_ignored(fitted, user_ids):
    strangers = pd.DataFrame({"user_id": [UNKNOWN_USER, user_ids[0]], "item_id": [5, 888_888]})
    same(fitted.lists(user_ids, 5, exclude=strangers), fitted.lists(user_ids, 5))


def test_an_unknown_user_gets_padding(fitted, user_ids):
    found = fitted.lists([UNKNOWN_USER, user_ids[0], -7], 4)
    assert not found.listed[[0, 2]].any()
    assert np.isneginf(found.scores[[0, 2]]).all()
    np.testing.assert_array_equal(found.item_ids[1], fitted.lists(user_ids[:1], 4).item_ids[0])


def test_no_users(fitted):
    found = fitted.lists([], 4)
    assert found.item_ids.shape == found.scores.shape == (0, 4)
    assert (found.item_ids.dtype, found.scores.dtype) == (np.int64, np.float32)
    assert len(fitted.recommend([], 4)) == 0


def test_a_batch_equals_its_rows_one_by_one(fitted, user_ids):
    batch = fitted.lists(user_ids, 10)
    rows = [fitted.lists([user], 10) for user in user_ids]
    for field in ("item_ids", "channels"):
        one_by_one = np.concatenate([getattr(row, field) for row in rows])
        np.testing.assert_array_equal(getattr(batch, field), one_by_one)
    scores = np.concatenate([row.scores for row in rows])
    np.testing.assert_allclose(batch.scores, scores, rtol=1e-4, atol=1e-6)


def test_a_batch_in_chunks_is_the_same(fitted, user_ids, monkeypatch):
    whole = fitted.lists(user_ids, 10)
    for module in ("channels.base", "merge"):
        monkeypatch.setattr(f"recsys_lib.recall.{module}.ROWS_AT_ONCE", 7)
    alike(fitted.lists(user_ids, 10), whole)


def test_a_short_list_is_the_head_of_a_long_one(fitted, user_ids):
    np.testing.assert_array_equal(
        fitted.lists(user_ids, 3).item_ids, fitted.lists(user_ids, 12).head(3).item_ids
    )


def test_the_same_user_twice_gets_the_same(fitted, user_ids):
    found = fitted.lists([user_ids[3], user_ids[3]], 6)
    np.testing.assert_array_equal(found.item_ids[0], found.item_ids[1])


def test_k_beyond_the_catalogue_is_padded(fitted, user_ids):
    found = fitted.lists(user_ids, 100)
    assert found.item_ids.shape == (len(user_ids), 100)
    assert (found.item_ids[:, 60:] == -1).all()
    np.testing.assert_array_equal(found.listed, np.isfinite(found.scores))
    assert fitted.recommend(user_ids, 100)["rank"].max() <= 60


def test_k_must_be_positive(fitted):
    with pytest.raises(RecsysError, match="k must be at least 1, not 0"):
        fitted.recommend([1], 0)
    with pytest.raises(RecsysError, match="k must be at least 1, not 0"):
        fitted.lists([1], 0)


def test_before_fit_it_says_so(make, tmp_path):
    for ask in (
        lambda each: each.recommend([1], 5),
        lambda each: each.lists([1], 5),
        lambda each: each.seen_items(1),
        lambda each: each.save(tmp_path / "unfitted"),
    ):
        with pytest.raises(RecsysError, match="after fit"):
            ask(make())


# Fitting


def test_two_fits_agree(make, interactions, user_ids, fitted):
    same(make().fit(interactions).lists(user_ids, 10), fitted.lists(user_ids, 10))


def test_the_order_of_rows_does_not_matter(make, interactions, user_ids, fitted):
    shuffled = make().fit(interactions.sample(frac=1, random_state=0))
    np.testing.assert_array_equal(
        shuffled.lists(user_ids, 10).item_ids, fitted.lists(user_ids, 10).item_ids
    )


def test_a_user_who_likes_nothing_is_served_or_padded(make, interactions):
    grumbler = interactions["user_id"] == interactions["user_id"].iloc[0]
    frame = interactions.assign(rating=interactions["rating"].where(~grumbler, 1.0))
    found = make().fit(frame).lists([interactions["user_id"].iloc[0]], 5)
    np.testing.assert_array_equal(found.listed, np.isfinite(found.scores))


def test_a_user_with_one_event(make, interactions):
    """One like is enough where likes count; nothing that was seen comes back."""
    user = interactions["user_id"].iloc[0]
    liked = interactions[(interactions["user_id"] == user) & (interactions["rating"] >= 4)]
    frame = pd.concat([interactions[interactions["user_id"] != user], liked.head(1)])
    found = make().fit(frame).lists([user], 5)
    assert found.listed[0, 0]
    assert liked["item_id"].iloc[0] not in found.item_ids[0]


def test_one_interaction_is_enough_to_fit(make, interactions):
    frame = interactions[interactions["rating"] >= 4].head(1)
    assert not make().fit(frame).lists(frame["user_id"], 5).listed.any()


def test_nothing_to_learn_from_is_refused(make, interactions):
    with pytest.raises(RecsysError, match="no rows"):
        make().fit(interactions.iloc[:0])


# Histories


def history_of(interactions: pd.DataFrame, user: int, as_whom: int | None = None) -> pd.DataFrame:
    rows = interactions[interactions["user_id"] == user]
    return rows.assign(user_id=user if as_whom is None else as_whom)


def test_a_history_equal_to_the_fitted_user_gets_the_same(fitted, interactions, user_ids):
    assert fitted.scores_histories
    alike(fitted.lists(user_ids, 10, histories=interactions), fitted.lists(user_ids, 10))
    one = history_of(interactions, user_ids[7])
    alike(fitted.lists(user_ids[:10], 10, histories=one), fitted.lists(user_ids[:10], 10))


def test_a_known_user_after_one_more_event(fitted, name, interactions, user_ids):
    """The new item is gone, and what depends on the user's taste has moved."""
    user = user_ids[2]
    before = fitted.lists([user], 60)
    group, seen = (user - 1) // 3 % 3, set(history_of(interactions, user)["item_id"])
    new = next(i for i in range(5, 5 + 7 * 50, 7) if (i - 5) // 7 % 3 != group and i not in seen)
    event = {"user_id": user, "item_id": new, "rating": 5.0, "timestamp": 20_000_000}
    history = pd.concat([history_of(interactions, user), pd.DataFrame([event])])
    after = fitted.lists([user], 60, histories=history)
    assert not set(after.item_ids[0]) & set(history["item_id"])
    others = [u for u in user_ids if u != user]
    same(fitted.lists(others, 10, histories=history), fitted.lists(others, 10))
    was, now = (table.to_frame().set_index("item_id")["score"] for table in (before, after))
    was = was.drop(new, errors="ignore")
    if name in IMPERSONAL:
        pd.testing.assert_series_equal(now, was)
    else:
        assert now.sub(was, fill_value=0).abs().max() > 1e-3 * np.ptp(was)


def test_an_unknown_user_with_a_history(fitted, name, interactions, user_ids):
    liked = history_of(interactions, user_ids[3]).query("rating >= 4").sort_values("timestamp")
    liked = liked["item_id"].tolist()
    mapping = {UNKNOWN_USER: liked, -4: liked[:1], -5: [], -6: [888_888]}
    found = fitted.recommend([UNKNOWN_USER, -4, user_ids[0]], 5, histories=mapping)
    assert found["user_id"].unique().tolist() == [UNKNOWN_USER, -4, user_ids[0]]
    assert not set(found[found["user_id"] == UNKNOWN_USER]["item_id"]) & set(liked)
    assert liked[0] not in set(found[found["user_id"] == -4]["item_id"])
    # Without an event that the recaller knows, only what needs no taste is offered.
    nothing = fitted.recommend([-5, -6], 3, histories=mapping)
    if name in IMPERSONAL:
        assert (nothing.groupby("user_id").size() == 3).all()
    elif name not in READS_SILENCE and not isinstance(fitted, SCORED_IN_COMPANY):
        assert nothing.empty
    alone = fitted.recommend([-4], 5, histories=mapping)
    assert alone["item_id"].tolist() == found[found["user_id"] == -4]["item_id"].tolist()


def test_a_history_takes_the_place_of_what_was_fitted(fitted, interactions, user_ids):
    """User 0 with the history of user 8 is user 8, but for what is bound to who they are."""
    borrowed = history_of(interactions, user_ids[8], as_whom=user_ids[0])
    found = fitted.lists([user_ids[0]], 60, histories=borrowed)
    seen_by_8 = set(history_of(interactions, user_ids[8])["item_id"])
    seen_by_0 = set(history_of(interactions, user_ids[0])["item_id"])
    assert not set(found.item_ids[0]) & seen_by_8
    assert set(fitted.lists([user_ids[8]], 60).item_ids[0]) & (seen_by_0 - seen_by_8)


def test_a_mapping_is_a_table_of_likes_in_order(fitted, interactions, user_ids):
    history = history_of(interactions, user_ids[5]).sort_values("timestamp")["item_id"].tolist()
    table = pd.DataFrame({"user_id": -9, "item_id": history})
    got = fitted.recommend([-9], 10, histories={-9: history})
    pd.testing.assert_frame_equal(got, fitted.recommend([-9], 10, histories=table))
    full = table.assign(rating=5.0, timestamp=np.arange(len(table)))
    pd.testing.assert_frame_equal(got, fitted.recommend([-9], 10, histories=full))


def test_histories_of_another_type_are_refused(fitted, user_ids):
    with pytest.raises(RecsysError, match="a mapping from a user to item ids, not list"):
        fitted.recommend(user_ids, 3, histories=[[1, 2]])
    with pytest.raises(RecsysError, match="no column 'item_id'"):
        fitted.recommend(user_ids, 3, histories=pd.DataFrame({"user_id": [1]}))


# Similar items


def test_similar_items(fitted, interactions):
    catalogue = np.unique(interactions["item_id"])
    if not fitted.has_similar_items:
        with pytest.raises(RecsysError, match="no notion of similar items"):
            fitted.similar_items(catalogue, 3)
        return
    table = fitted.similar_items([*catalogue, 888_888], 8)
    assert table.columns.tolist() == ["item_id", "similar_item_id", "score", "rank", "channel"]
    assert set(table["item_id"]) <= set(catalogue)
    assert table["item_id"].nunique() > 40
    assert set(table["similar_item_id"]) <= set(catalogue)
    assert (table["item_id"] != table["similar_item_id"]).all()
    assert not table.duplicated(["item_id", "similar_item_id"]).any()
    for item, one in table.groupby("item_id"):
        assert one["rank"].tolist() == list(range(1, len(one) + 1))
        assert one["score"].is_monotonic_decreasing
        alone = fitted.similar_items(item, 8)["similar_item_id"]
        assert alone.tolist() == one["similar_item_id"].tolist()


@pytest.mark.parametrize(
    "cosine",
    ["favourite_genre", "favourite_people", "item_knn", "user_knn", "als", "two_tower", "vectors"],
)
def test_likeness_is_symmetric_where_it_is_a_cosine(cosine, items, table, interactions):
    """Weights of a regression or of a walk have a direction."""
    recaller = MAKERS[cosine](items, table).fit(interactions)
    table = recaller.similar_items(np.unique(interactions["item_id"]), 60)
    score = table.set_index(["item_id", "similar_item_id"])["score"]
    back = score.swaplevel().reindex(score.index)
    kept = back.notna()  # item-kNN keeps the nearest of each item only
    assert kept.mean() > 0.5
    np.testing.assert_allclose(score[kept], back[kept], rtol=1e-4, atol=1e-6)


# Saving


def test_a_round_trip_changes_nothing(fitted, loaded, interactions, user_ids):
    assert type(loaded) is type(fitted)
    same(loaded.lists(user_ids, 20), fitted.lists(user_ids, 20))
    events = interactions.sample(frac=0.5, random_state=1)
    asked = [*user_ids, UNKNOWN_USER]
    events = pd.concat([events, history_of(interactions, user_ids[1], UNKNOWN_USER)])
    same(
        loaded.lists(asked, 20, histories=events, exclude=interactions[:50]),
        fitted.lists(asked, 20, histories=events, exclude=interactions[:50]),
    )
    assert loaded.seen_items(user_ids[0]).tolist() == fitted.seen_items(user_ids[0]).tolist()
    assert loaded.has_similar_items == fitted.has_similar_items
    if fitted.has_similar_items:
        catalogue = np.unique(interactions["item_id"])
        same(loaded.similar_lists(catalogue, 9), fitted.similar_lists(catalogue, 9))


def test_a_loaded_recaller_can_be_saved_and_fitted_again(
    fitted, loaded, interactions, user_ids, tmp_path
):
    loaded.save(tmp_path / "again")
    twice = load_recaller(tmp_path / "again")
    same(twice.lists(user_ids, 9), fitted.lists(user_ids, 9))
    same(twice.fit(interactions).lists(user_ids, 9), fitted.lists(user_ids, 9))


# Ids of a person


def test_text_ids(make, fitted, items, interactions, text, user_ids, tmp_path):
    """Text ids outside give what whole numbers give, in items, histories, exclusions and files."""
    about = items.assign(item_id=items["item_id"].map(as_item))
    recaller = make(about).fit(Interactions.from_frame(text))
    recaller.save(tmp_path / "recaller")
    for each in (recaller, load_recaller(tmp_path / "recaller")):
        table = each.recommend(text["user_id"].unique(), 10)
        assert set(table["user_id"]) <= set(text["user_id"])
        assert set(table["item_id"]) <= set(text["item_id"])
        seen = set(zip(text["user_id"], text["item_id"], strict=True))
        assert not seen & set(zip(table["user_id"], table["item_id"], strict=True))
        user, first = table.iloc[0][["user_id", "item_id"]]
        exclude = pd.DataFrame({"user_id": [user], "item_id": [first]})
        assert first not in set(each.recommend(user, 9, exclude=exclude)["item_id"])
        assert set(each.seen_items(user)) == set(text[text["user_id"] == user]["item_id"])
        history = text[text["user_id"] == user]["item_id"].tolist()
        asked = each.recommend(["new", user], 60, histories={"new": history, user: [first]})
        new, known = (asked[asked["user_id"] == u]["item_id"] for u in ("new", user))
        assert len(new)
        assert not set(new) & set(history)
        assert first not in set(known)
        if each.has_similar_items:
            assert set(each.similar_items(first, 3)["similar_item_id"]) <= set(text["item_id"])
        pd.testing.assert_frame_equal(table, recaller.recommend(text["user_id"].unique(), 10))


def test_a_strangers_list_does_not_depend_on_who_else_is_asked(make, text, items):
    """Unknown ids stand for different users, each with a number of its own."""
    about = items.assign(item_id=items["item_id"].map(as_item))
    recaller = make(about).fit(Interactions.from_frame(text))
    liked = text[text["rating"] >= 4]["item_id"].unique()
    histories = {"one": liked[:4].tolist(), "two": liked[4:9].tolist()}
    together = recaller.recommend(["one", "two"], 5, histories=histories)
    for user in ("one", "two"):
        alone = recaller.recommend(user, 5, histories={user: histories[user]})
        of_user = together[together["user_id"] == user].reset_index(drop=True)
        assert alone["item_id"].tolist() == of_user["item_id"].tolist()
