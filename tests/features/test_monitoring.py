"""Statistics for monitoring: planted holes and shifts are found, everything else is quiet."""

import numpy as np
import pandas as pd
import pytest
from engine_frames import given

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.features import monitoring_statistics
from recsys_lib.features.registry import arrow_schema

MONTH_S = 31 * 86_400
COLUMNS = ["user_rating_count", "item_rating_mean", "user_genre_1", "item_id"]
TYPES = arrow_schema(["timestamp", *COLUMNS])
SOME = ["timestamp", "user_genre_1"]


@pytest.fixture(scope="module")
def samples():
    """Two alike months, then one in which a column shifts, one empties and one changes genre."""
    random, months, n = np.random.default_rng(5), 3, 4_000
    month = np.repeat(np.arange(months), n)
    changed = month == 2
    return pd.DataFrame(
        {
            "timestamp": month * MONTH_S + random.integers(0, 28 * 86_400, months * n),
            "item_id": random.integers(0, 500, months * n),
            "user_rating_count": random.poisson(20, months * n) + 15 * changed,
            "item_rating_mean": np.where(
                changed & (random.random(months * n) < 0.5), None, random.normal(3, 1, months * n)
            ).astype(float),
            "user_genre_1": np.where(
                random.random(months * n) < np.where(changed, 0.9, 0.5), "Drama", "Comedy"
            ),
        }
    )


@pytest.fixture(scope="module")
def statistics(engine, samples):
    return monitoring_statistics(given(engine, samples, TYPES), COLUMNS)


def test_summaries_equal_pandas(samples, statistics):
    assert statistics.column.tolist() == COLUMNS * 3
    assert statistics.period.unique().tolist() == ["1970-01", "1970-02", "1970-03"]
    month = pd.to_datetime(samples.timestamp, unit="s").dt.strftime("%Y-%m")
    for (period, column), row in statistics.set_index(["period", "column"]).iterrows():
        values = samples.loc[month == period, column]
        assert row.rows == len(values)
        assert row.filled == pytest.approx(values.notna().mean())
        assert row.distinct == pytest.approx(values.nunique(), rel=0.15)
        if column in ("user_rating_count", "item_rating_mean"):
            assert row[["mean", "stddev"]].tolist() == pytest.approx([values.mean(), values.std()])
            assert row.p50 == pytest.approx(values.median(), abs=0.05)
        else:
            assert np.isnan(row["mean"])


def test_drift_is_that_of_the_formula(samples, statistics):
    drift = statistics.set_index(["period", "column"]).drift
    assert (drift["1970-01"] == 0).all()
    assert (drift["1970-02"] < 0.02).all()
    assert (drift["1970-03"].drop("item_id") > 0.25).all()
    assert drift["1970-03", "item_id"] < 0.02
    month = pd.to_datetime(samples.timestamp, unit="s").dt.strftime("%Y-%m")
    p, q = ((samples.user_genre_1[month == m] == "Drama").mean() for m in ("1970-03", "1970-01"))
    by_hand = sum((a - b) * np.log(a / b) for a, b in ((p, q), (1 - p, 1 - q)))
    assert drift["1970-03", "user_genre_1"] == pytest.approx(by_hand)


def test_another_reference_and_period(engine, samples, statistics):
    frame = given(engine, samples[SOME], arrow_schema(SOME))
    again = monitoring_statistics(frame, ["user_genre_1"], reference="1970-03")
    drift = statistics.set_index(["period", "column"]).drift
    # The index is symmetric in the two periods.
    assert again.drift[0] == pytest.approx(drift["1970-03", "user_genre_1"])
    assert again.drift[2] == 0
    yearly = monitoring_statistics(frame, ["user_genre_1"], period="year")
    assert yearly.period.tolist() == ["1970"]


def test_bad_input_is_named(engine, samples):
    frame = given(engine, samples[SOME], arrow_schema(SOME))
    with pytest.raises(RecsysError, match="one of year, month, day, not 'week'"):
        monitoring_statistics(frame, ["user_genre_1"], period="week")
    with pytest.raises(RecsysError, match="'label' is neither a number nor a category"):
        monitoring_statistics(frame, ["label"])
    with pytest.raises(DataError, match="no samples in the reference period '1999-01'"):
        monitoring_statistics(frame, ["user_genre_1"], reference="1999-01")
    with pytest.raises(DataError, match="no samples to watch"):
        monitoring_statistics(given(engine, samples[SOME][:0], arrow_schema(SOME)), SOME[1:])
