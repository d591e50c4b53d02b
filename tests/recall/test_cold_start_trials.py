"""Trials on new users: nothing leaks, the target stays the same, and a planted lead is seen."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.course.cold_start_figures import differences, takeover
from recsys_lib.errors import RecsysError
from recsys_lib.recall import ItemKNN, Newcomers, Popular, SegmentPopular
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.cold_start import NewUserTrial


@pytest.fixture
def trial(interactions) -> NewUserTrial:
    return NewUserTrial(interactions, n_folds=4, n_arrival=5, seed=2)


@pytest.fixture
def genders(interactions) -> pd.DataFrame:
    users = interactions["user_id"].unique()
    return pd.DataFrame({"user_id": users, "gender": ["fgm"[(u - 1) // 3 % 3] for u in users]})


def test_newcomers_are_in_no_training_part_and_everybody_is_one_once(trial, interactions):
    met = []
    for fold in range(4):
        new = set(trial.events(fold, 5)["user_id"])
        assert not new & set(trial.train(fold)["user_id"])
        assert not new & set(trial.train(fold, (fold + 1) % 4)["user_id"])
        met += new
    assert sorted(met) == sorted(interactions["user_id"].unique())


def test_the_first_events_are_the_first_in_time(trial, interactions):
    known = trial.events(0, 3)
    for user, rows in known.groupby("user_id"):
        own = interactions[interactions["user_id"] == user].sort_values("timestamp")
        assert set(rows["item_id"]) == set(own["item_id"].head(3))


def test_events_that_may_be_known_are_on_no_list_and_the_target_does_not_change(trial):
    """Whatever is known, the same users are looked at, and the arrival itself is never a hit."""
    model = Popular().fit(trial.train(0))
    asked = []

    class Spy(Recaller):
        matrix_ = model.matrix_

        def learn(self, seen, vocabulary):
            raise AssertionError

        def lists(self, users, k=10, histories=None, exclude=None):
            found = model.lists(users, k, histories, exclude)
            asked.append((found, len(histories.events)))
            return found

    few, many = (trial.ndcg(Spy(), 0, trial.events(0, n)) for n in (0, 5))
    pd.testing.assert_series_equal(few, many)  # popularity learns nothing from events
    arrival = set(map(tuple, trial.events(0, 5)[["user_id", "item_id"]].to_numpy()))
    for found, _ in asked:
        pairs = set(zip(*found.to_frame()[["user_id", "item_id"]].to_numpy().T, strict=True))
        assert not pairs & arrival
    assert asked[0][1] == 0 < asked[1][1]


def test_a_planted_attribute_is_found_and_a_shuffled_one_is_not(trial, genders):
    shuffled = genders.assign(gender=genders["gender"].sample(frac=1, random_state=3).to_numpy())
    figures, chosen = trial.run(
        {
            "popularity": [Popular],
            "planted": [lambda: SegmentPopular(genders, columns=("gender",), prior_users=5)],
            "shuffled": [lambda: SegmentPopular(shuffled, columns=("gender",), prior_users=5)],
            "either": [
                lambda t=t, p=p: SegmentPopular(t, columns=("gender",), prior_users=5 + p)
                for p, t in ((0, shuffled), (1, genders))
            ],
        }
    )
    table = differences(figures.droplevel(1, axis=1), "popularity")
    assert table.loc["planted", "low"] > 0.1
    assert table.loc["shuffled", "low"] < 0
    assert table.loc["popularity", ["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert chosen["either"].str.contains("prior_users=6").all()  # validation users tell them apart


def test_events_help_a_personal_model_and_the_join_starts_at_the_segments(trial, genders):
    segments = lambda: SegmentPopular(genders, columns=("gender",), prior_users=5)  # noqa: E731
    figures, _ = trial.run(
        {"alone": [ItemKNN], "joined": [lambda: Newcomers(segments(), ItemKNN())],
         "segments": [segments]},
        (0, 1, 5),
    )  # fmt: skip
    mean = figures.mean()
    assert mean["alone", 0] == 0 < mean["alone", 1] < mean["alone", 5]
    assert mean["joined", 0] == mean["segments", 0]


def test_takeover_is_where_the_lead_is_sure_and_stays():
    newcomer = pd.Series(np.full(50, 0.3))
    better, worse = newcomer + 0.1, newcomer - 0.1
    assert takeover({1: worse, 5: better, 20: better}, newcomer) == 5
    assert takeover({1: better, 5: worse, 20: better}, newcomer) == 20
    assert takeover({1: better, 5: worse}, newcomer) is None
    unsure = newcomer + np.tile([0.1, -0.1], 25)
    assert takeover({1: unsure}, newcomer) is None


def test_too_few_folds_are_refused(interactions):
    with pytest.raises(RecsysError, match=r"at least 3 \(to test, to choose, to learn\), not 2"):
        NewUserTrial(interactions, n_folds=2)
