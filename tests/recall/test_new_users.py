"""Users of whom nothing is known but who they are: by hand on a few, and on planted tastes."""

import logging

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.recall import ItemKNN, Popular, load_recaller
from recsys_lib.recall.cold_start import (
    AttributeRidge,
    ClusterPopular,
    Newcomers,
    SegmentPopular,
    shrunk,
    user_attributes,
)
from recsys_lib.recall.cold_start.segments import k_means, nearest_centre

# Women like film 1, men film 2, and one woman in four film 3, which is nobody else's.
USERS = pd.DataFrame(
    {
        "user_id": range(8),
        "gender": ["F"] * 4 + ["M"] * 4,
        "occupation": ["cook", "cook", "pilot", "pilot"] * 2,
    }
)
LIKES = pd.DataFrame(
    [(0, 1), (1, 1), (2, 1), (3, 3), (4, 2), (5, 2), (6, 2), (7, 2)], columns=["user_id", "item_id"]
)
NEW = pd.DataFrame(
    {"user_id": [100, 101, 102], "gender": ["F", "M", ""], "occupation": ["pilot", "cook", "cook"]}
)
BY_ATTRIBUTES = {
    "segment": lambda users: SegmentPopular(users, columns=("gender",), prior_users=2),
    "cluster": lambda users: ClusterPopular(
        users, columns=("gender",), n_clusters=2, prior_users=2
    ),
    "ridge": lambda users: AttributeRidge(users, columns=("gender",), regularization=1),
}


@pytest.fixture(params=BY_ATTRIBUTES)
def make(request):
    return BY_ATTRIBUTES[request.param]


def test_attributes_by_hand():
    users = pd.DataFrame(
        {
            "user_id": [1, 2, 3],
            "age": pd.array([17, 56, None], dtype="Int16"),
            "gender": ["F", None, "M"],
            "zip_code": ["1", "2", "3"],
        }
    )
    events = pd.DataFrame(
        {
            "user_id": [1, 1, 2],
            "item_id": [1, 2, 1],
            "timestamp": [86_400 * 9 + 5 * 3_600, 86_400 * 99, 86_400 * 7 + 23 * 3_600],
        }
    )
    table = user_attributes(users, events)
    assert table.columns.tolist() == ["user_id", "age_band", "gender", "hour_band"]
    assert table.to_numpy().tolist() == [
        [1, "0-17", "F", "0-5"],
        [2, "56+", "", "18+"],
        [3, "", "M", ""],
    ]


def test_without_a_users_table_there_is_the_hour_alone_and_without_events_nothing():
    events = pd.DataFrame({"user_id": [4], "item_id": [1], "timestamp": [3_600 * 13]})
    assert user_attributes(None, events).to_numpy().tolist() == [[4, "12-17"]]
    assert user_attributes(None).columns.tolist() == ["user_id"]


def test_shrinkage_by_hand():
    # Three of four like the first film; ten more who like it as everybody does pull it to 0.5.
    got = shrunk(np.array([3.0, 0.0]), 4, np.array([0.4, 0.2]), 10)
    assert got == pytest.approx([(3 + 4) / 14, 2 / 14])


def test_segments_lean_on_the_segment_above():
    model = SegmentPopular(USERS, columns=("gender", "occupation"), prior_users=2).fit(LIKES)
    everybody = np.array([3, 4, 1]) / 8  # films 1, 2, 3
    women = (np.array([3, 0, 1]) + 2 * everybody) / 6
    women_pilots = (np.array([1, 0, 1]) + 2 * women) / 4
    score = model.class_scores_
    assert score[model.segments_["F"]] == pytest.approx(women)
    assert score[model.segments_["F|pilot"]] == pytest.approx(women_pilots)
    assert model.class_sizes_[model.segments_["F|pilot"]] == 2


def test_a_segment_nobody_was_in_is_answered_by_the_one_above():
    model = SegmentPopular(USERS, columns=("gender", "occupation"), prior_users=0).fit(LIKES)
    model.register(pd.DataFrame({"user_id": [9], "gender": ["F"], "occupation": ["judge"]}))
    assert model.recommend(9, 1)["item_id"].tolist() == [1]


def test_newcomers_get_what_people_like_them_like(make):
    model = make(USERS).fit(LIKES)
    assert model.recommend([100, 101], 3).empty  # strangers
    model.register(NEW)
    found = model.recommend([100, 101], 1)
    assert found["user_id"].tolist() == [100, 101]
    assert found["item_id"].tolist() == [1, 2]
    assert found["channel"].unique().tolist() == [model.name]


def test_of_whom_nothing_is_known_gets_what_everybody_gets(make):
    model, popular = make(USERS).fit(LIKES), Popular().fit(LIKES)
    model.register(NEW)
    expected = popular.recommend("x", 3, histories={"x": []})["item_id"].tolist()
    assert model.recommend(102, 3)["item_id"].tolist() == expected


def test_a_user_of_the_table_need_not_have_events(make):
    model = make(pd.concat([USERS, NEW])).fit(LIKES)
    assert model.recommend([101, 100], 1)["item_id"].tolist() == [2, 1]


def test_events_of_newcomers_are_left_out_and_exclusions_too(make):
    model = make(pd.concat([USERS, NEW])).fit(LIKES)
    after = model.recommend([100], 3, histories={100: [1]})
    assert set(after["item_id"]) == {2, 3}
    barred = pd.DataFrame({"user_id": [100], "item_id": [1]})
    assert 1 not in model.recommend(100, 3, exclude=barred)["item_id"].tolist()


def test_registering_again_replaces(make):
    model = make(pd.concat([USERS, NEW])).fit(LIKES)
    model.register(NEW.assign(gender=["M", "F", "F"]))
    assert model.recommend([100, 101], 1)["item_id"].tolist() == [2, 1]


def test_a_table_that_lacks_what_was_learned_from_is_refused(make):
    model = make(USERS).fit(LIKES)
    with pytest.raises(RecsysError, match=r"no column 'gender'.*keep the column"):
        model.register(NEW[["user_id", "occupation"]])
    with pytest.raises(RecsysError, match="only after fit"):
        make(USERS).register(NEW)


@pytest.mark.parametrize("users", [None, USERS[["user_id"]]])
def test_without_attributes_it_says_so_and_is_popularity(make, users, caplog):
    with caplog.at_level(logging.WARNING):
        model = make(users).fit(LIKES)
    assert "fitted without gender" in caplog.text
    assert "everybody gets what is popular" in caplog.text
    popular = Popular().fit(LIKES)
    asked = {77: []}
    got = model.recommend([77, 0], 3, histories=asked)["item_id"].tolist()
    assert got == popular.recommend([77, 0], 3, histories=asked)["item_id"].tolist()


def test_registered_users_are_saved(make, tmp_path):
    model = make(USERS).fit(LIKES)
    model.register(NEW)
    model.save(tmp_path / "model")
    loaded = load_recaller(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.recommend([100, 101], 3), model.recommend([100, 101], 3))


def test_users_may_have_text_for_ids(make):
    as_text = {"user_id": lambda t: "u" + t["user_id"].astype(str)}
    model = make(USERS.assign(**as_text)).fit(LIKES.assign(**as_text))
    model.register(NEW.assign(**as_text))
    assert model.recommend(["u101", "u100"], 1)["item_id"].tolist() == [2, 1]


def test_ridge_solves_the_normal_equations():
    model = AttributeRidge(USERS, regularization=3).fit(LIKES)
    columns = ["gender", "occupation"]
    a = np.hstack([(USERS[[c]].to_numpy() == sorted(set(USERS[c]))).astype(float) for c in columns])
    x = np.zeros((8, 3))
    x[LIKES["user_id"], LIKES["item_id"] - 1] = 1
    a, x = a - a.mean(axis=0), x - x.mean(axis=0)
    expected = np.linalg.solve(a.T @ a + 3 * np.eye(4), a.T @ x)
    assert model.weights_ == pytest.approx(expected)


def test_clusters_find_planted_groups():
    points = np.repeat(np.eye(3) * 10, 20, axis=0)
    points = points + np.random.default_rng(0).normal(size=points.shape)
    centres = k_means(points, 3, seed=1)
    found = nearest_centre(points, centres).reshape(3, 20)
    assert (found == found[:, :1]).all()
    assert len(set(found[:, 0])) == 3
    assert len(k_means(np.ones((5, 2)), 3, seed=1)) == 1  # as many as there are distinct points


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SegmentPopular(USERS, prior_users=-1), "prior_users must not be negative, not -1"),
        (ClusterPopular(USERS, n_clusters=0), "n_clusters must be at least 1, not 0"),
        (AttributeRidge(USERS, regularization=0), "regularization must be positive, not 0"),
        (Newcomers(Popular(), Popular(), half_events=0), "half_events must be positive, not 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(model, message):
    with pytest.raises(RecsysError, match=message):
        model.fit(LIKES)


# Handing over


@pytest.fixture
def newcomers(interactions) -> Newcomers:
    genders = pd.DataFrame({"user_id": interactions["user_id"].unique()})
    genders["gender"] = np.where((genders["user_id"] - 1) // 3 % 3 == 0, "F", "M")
    newcomer = SegmentPopular(genders, columns=("gender",), prior_users=1)
    model = Newcomers(newcomer, ItemKNN(n_neighbours=20), half_events=4).fit(interactions)
    model.register(pd.DataFrame({"user_id": [5_000, 5_001], "gender": ["F", "M"]}))
    return model


def group_of(items) -> list[int]:
    return [(item - 5) // 7 % 3 for item in items]


def test_without_events_it_is_the_newcomers_list(newcomers):
    alone = newcomers.newcomer.recommend([5_000, 5_001], 8)
    joined = newcomers.recommend([5_000, 5_001], 8)
    assert joined["item_id"].tolist() == alone["item_id"].tolist()
    assert joined["channel"].unique().tolist() == ["segment_popular"]
    # Her segment is that of the group whose films she is shown.
    assert group_of(joined[joined["user_id"] == 5_000]["item_id"])[:5] == [0] * 5


def test_the_more_is_known_the_more_personal_the_list(newcomers, interactions):
    """A woman who likes what the third group likes is shown it after some events."""
    liked = [5 + 7 * i for i in range(2, 50, 3)]  # of group 2, popular first
    shares = []
    for n in (0, 2, 12):
        found = newcomers.recommend(5_000, 5, histories={5_000: liked[:n]})
        shares.append(np.mean([g == 2 for g in group_of(found["item_id"])]))
    assert shares[0] == 0
    assert shares[2] == 1
    assert shares == sorted(shares)


def test_the_weights_of_the_two_models_are_as_promised(newcomers):
    """At half_events events both have the same say: the best of either gets half a point."""
    history = {5_001: [5 + 7 * i for i in (2, 5, 8, 11)]}
    joined = newcomers.recommend(5_001, 200, histories=history).set_index("item_id")["score"]
    parts = [
        part.recommend(5_001, 200, histories=history).set_index("item_id")["score"]
        for part in (newcomers.newcomer, newcomers.personal)
    ]
    scaled = [(part - part.min()) / (part.max() - part.min()) for part in parts]
    expected = (0.5 * scaled[0]).add(0.5 * scaled[1], fill_value=0)
    np.testing.assert_allclose(joined, expected[joined.index], atol=1e-5)


def test_only_models_that_read_users_can_register(interactions):
    model = Newcomers(Popular(), ItemKNN()).fit(interactions)
    with pytest.raises(RecsysError, match="Popular reads no users' table"):
        model.register(NEW)
