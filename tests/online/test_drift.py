"""The alarm against the law of its index, its promise, and planted drifts."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.features.monitoring import stability_index
from recsys_lib.online.drift import DriftMonitor, law_threshold
from recsys_lib.seeding import generator


def rows(n, rng) -> pd.DataFrame:
    """Return columns that depend on each other, one with missing values, one of five values."""
    common = rng.normal(size=n)
    stars = np.clip(np.round(3 + common), 1, 5)
    gaps = np.where(rng.random(n) < 0.2, np.nan, common + rng.normal(size=n))
    return pd.DataFrame({"mean": common, "same": 3 * common, "stars": stars, "gaps": gaps})


@pytest.fixture(scope="module")
def monitor() -> DriftMonitor:
    reference = rows(40_000, generator(1, "reference"))
    return DriftMonitor(alpha=0.01, n_rows=300, n_draws=10_000).fit(reference)


def test_the_index_is_the_sum_by_hand():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.4, 0.2])
    by_hand = sum((b - a) * np.log(b / a) for a, b in zip(p, q, strict=True))
    assert stability_index(1_000 * p, 100 * q) == pytest.approx(by_hand, rel=1e-12)


def test_without_drift_the_index_follows_its_law_and_the_rule_of_thumb_cries_wolf():
    rng = generator(2, "no drift")
    n, m = 1_000, 1_000
    first, second = (rng.multinomial(size, [0.1] * 10, 20_000) for size in (n, m))
    found = stability_index(first, second)
    for alpha in (0.5, 0.1, 0.05, 0.01):
        share = (found > law_threshold(n, m, 10, alpha)).mean()
        assert share == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 20_000))
    small = stability_index(*(rng.multinomial(100, [0.1] * 10, 20_000) for _ in range(2)))
    assert (small > 0.1).mean() > 0.8  # "a shift", where there is none


def test_four_columns_together_give_one_false_alarm_in_a_hundred_windows(monitor):
    rng = generator(3, "windows without drift")
    alarms = [monitor.is_alarm(rows(300, rng)) for _ in range(4_000)]
    assert 0.005 < np.mean(alarms) < 0.015


@pytest.mark.parametrize(
    ("column", "planted"),
    [
        ("stars", lambda v: 20 * v),  # another unit
        ("mean", lambda v: np.where(np.arange(len(v)) % 2, v, np.nan)),  # missing
        ("gaps", lambda v: np.full(len(v), v[0])),  # stale
    ],
    ids=["unit", "missing", "stale"],
)
def test_a_planted_drift_is_found_in_its_column(monitor, column, planted):
    window = rows(300, generator(4, "planted"))
    window[column] = planted(window[column].to_numpy())
    found = monitor.check(window)
    assert found["alarm"].sum() == found.loc[column, "alarm"] == 1


def test_rows_that_belong_together_need_blocks():
    """A user's rows are alike: a window of few users differs from the reference by chance."""
    rng = generator(5, "users")

    def users(n):
        taste = np.repeat(rng.normal(size=n), 30)
        return pd.DataFrame({"mean": taste + 0.3 * rng.normal(size=len(taste))})

    reference, settings = users(1_500), {"n_rows": 600, "n_draws": 1_500}
    blocks = np.arange(len(reference)) // 30
    rates = {}
    for name, given in (("rows", None), ("blocks", blocks)):
        fitted = DriftMonitor(**settings).fit(reference, given)
        rates[name] = np.mean([fitted.is_alarm(users(20)) for _ in range(800)])
    assert rates["rows"] > 0.5
    assert 0.003 < rates["blocks"] < 0.02


def test_too_little_to_compare_is_refused(monitor):
    with pytest.raises(DataError, match="has 100 rows; windows of 300 need at least 1200"):
        DriftMonitor(n_rows=300).fit(rows(100, generator(1, "few")))
    with pytest.raises(DataError, match="has the stream stopped"):
        monitor.check(rows(0, generator(1, "none")))
    with pytest.raises(RecsysError, match="alpha"):
        DriftMonitor(alpha=1.0)
