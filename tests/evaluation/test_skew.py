"""Without drift the rate of alarms is the one asked for; with drift there is an alarm."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, kstest

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.evaluation.skew import TrainingProfile
from recsys_lib.seeding import generator

COLUMNS = ["mean", "count", "genre", "year"]


def rows(n: int, rng) -> pd.DataFrame:
    frame = pd.DataFrame({"mean": rng.normal(3, 1, n), "count": rng.geometric(0.02, n)})
    frame["genre"] = rng.choice(["Drama", "Comedy", "War", None], n, p=[0.5, 0.3, 0.1, 0.1])
    frame["year"] = pd.array(rng.integers(1950, 2000, n), dtype="Int16")
    frame.loc[rng.random(n) < 0.1, "year"] = pd.NA
    return frame


@pytest.mark.parametrize(("m", "n"), [(300, 300), (3_000, 400)])
def test_the_rate_of_false_alarms_is_the_one_asked_for(m, n):
    rng = generator(7, "skew", m, n)
    tries, alarms, chances = 250, 0, []
    for _ in range(tries):
        table = TrainingProfile.fit(rows(m, rng), COLUMNS).compare(rows(n, rng), 0.05)
        alarms += table["drifted"].any()
        chances.append(table.set_index("column").loc["mean", "p_value"])
    low, high = binom.interval(0.999, tries, 0.05)
    assert low <= alarms <= high
    assert kstest(chances, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("mean", lambda frame: frame["mean"] + 0.3),
        ("count", lambda frame: frame["count"] * 2),
        ("genre", lambda frame: frame["genre"].replace("War", "Western")),
        ("genre", lambda frame: frame["genre"].where(frame.index % 5 > 0)),
        ("year", lambda frame: frame["year"].fillna(1990)),
    ],
)
def test_a_planted_drift_is_found_and_named(column, change):
    rng = generator(8, "drift")
    profile = TrainingProfile.fit(rows(5_000, rng), COLUMNS)
    served = rows(1_000, rng)
    table = profile.compare(served.assign(**{column: change(served)}))
    assert table.loc[table["drifted"], "column"].tolist() == [column]
    assert (table["psi"] > table["psi_by_chance"]).equals(table["drifted"])


def test_a_column_that_is_not_served_is_all_missing():
    rng = generator(9, "absent")
    table = TrainingProfile.fit(rows(500, rng), COLUMNS).compare(
        rows(200, rng).drop(columns="mean")
    )
    assert table.loc[0, ["column", "drifted"]].tolist() == ["mean", True]


def test_the_index_by_hand():
    trained = pd.DataFrame({"genre": ["a"] * 60 + ["b"] * 40})
    served = pd.DataFrame({"genre": ["a"] * 30 + ["b"] * 70})
    p, q = np.array([60.5, 40.5]) / 101, np.array([30.5, 70.5]) / 101
    table = TrainingProfile.fit(trained, ["genre"]).compare(served)
    assert table.loc[0, "psi"] == pytest.approx(((p - q) * np.log(p / q)).sum())


def test_a_profile_is_kept_beside_the_model(tmp_path):
    rng = generator(10, "kept")
    profile, served = TrainingProfile.fit(rows(500, rng), COLUMNS), rows(300, rng)
    profile.save(tmp_path / "profile.json")
    again = TrainingProfile.load(tmp_path / "profile.json")
    assert again == profile
    pd.testing.assert_frame_equal(again.compare(served), profile.compare(served))
    (tmp_path / "profile.json").write_text("[1]")
    with pytest.raises(DataError, match="No training profile"):
        TrainingProfile.load(tmp_path / "profile.json")


def test_what_cannot_be_compared_is_told():
    profile = TrainingProfile.fit(pd.DataFrame({"x": [1.0, 2.0]}), ["x"])
    with pytest.raises(DataError, match="Nothing was served"):
        profile.compare(pd.DataFrame({"x": []}))
    with pytest.raises(RecsysError, match=r"\(0, 1\), not 1"):
        profile.compare(pd.DataFrame({"x": [1.0]}), 1)
    with pytest.raises(DataError, match="lack the columns y"):
        TrainingProfile.fit(pd.DataFrame({"x": [1.0]}), ["y"])


def test_a_column_without_a_value_is_compared_by_how_much_is_missing():
    profile = TrainingProfile.fit(pd.DataFrame({"year": np.full(50, np.nan)}), ["year"])
    for served, drifted in ((np.full(50, np.nan), False), (np.full(50, 1999.0), True)):
        table = profile.compare(pd.DataFrame({"year": served}))
        assert table.loc[0, "drifted"] == drifted
