"""Traces have the rate, the users and the shape that were asked for."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.simulation import (
    Constant,
    Exponential,
    LogNormal,
    Measured,
    Spike,
    Workload,
    zipf_shares,
)


def test_shares_follow_zipf():
    shares = zipf_shares(4, 1.0)
    assert shares.sum() == pytest.approx(1)
    assert shares / shares[0] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])


def test_requests_come_at_random_at_the_rate():
    requests = Workload(rate=100, duration_s=500, n_users=50).draw(0)
    assert len(requests) == pytest.approx(50_000, abs=4 * 50_000**0.5)
    gaps = np.diff(requests.times_s)
    assert (gaps >= 0).all()
    assert gaps.mean() == pytest.approx(0.01, rel=0.02)
    assert gaps.std() == pytest.approx(0.01, rel=0.02)  # a Poisson process


def test_users_have_their_shares():
    requests = Workload(rate=1_000, duration_s=100, n_users=20, exponent=1.2).draw(1)
    shares = np.bincount(requests.users, minlength=20) / len(requests)
    assert shares == pytest.approx(zipf_shares(20, 1.2), abs=0.005)


def test_the_day_waves_and_a_spike_multiplies():
    spike = Spike(at_s=900, length_s=37, factor=5)
    workload = Workload(rate=200, duration_s=1_000, wave=0.5, day_s=1_000, spikes=(spike,))
    assert workload.rate_at([250, 750, 899.9, 937]) == pytest.approx(
        200 * (1 + 0.5 * np.sin(2 * np.pi * np.array([0.25, 0.75, 0.8999, 0.937])))
    )
    times = workload.draw(0).times_s

    def count(start_s, end_s):
        return np.searchsorted(times, end_s) - np.searchsorted(times, start_s)

    assert count(200, 300) == pytest.approx(100 * workload.rate_at(250), rel=0.04)
    assert count(700, 800) == pytest.approx(100 * workload.rate_at(750), rel=0.04)
    assert count(900, 937) == pytest.approx(37 * 5 * 200 * 0.757, rel=0.04)


def test_traces_follow_the_seed():
    workload = Workload(rate=100, duration_s=10)
    assert (workload.draw(1).times_s == workload.draw(1).times_s).all()
    assert len(workload.draw(1)) != len(workload.draw(2))


def test_a_rate_of_nothing_is_refused():
    with pytest.raises(RecsysError, match=r"a rate \(0\)"):
        Workload(rate=0, duration_s=1)


@pytest.mark.parametrize(
    ("service", "mean", "std"),
    [
        (Constant(0.1), 0.1, 0.0),
        (Exponential(0.1), 0.1, 0.1),
        (LogNormal(0.1, 0.5), 0.1, 0.05),
        (Measured([0.1, 0.2, 0.3]), 0.2, (2 / 3) ** 0.5 / 10),
    ],
)
def test_service_times(service, mean, std):
    times = service.draw(np.random.default_rng(0), 50_000)
    assert times.mean() == pytest.approx(mean, rel=0.02)
    assert times.std() == pytest.approx(std, rel=0.03, abs=1e-12)
    stream = service.stream(np.random.default_rng(0))
    assert next(stream) == service.draw(np.random.default_rng(0), 8_192)[0]


@pytest.mark.parametrize("sample", [[], [0.1, -0.1], [float("nan")]])
def test_what_was_not_measured_is_refused(sample):
    with pytest.raises(RecsysError, match="Measured service times"):
        Measured(sample)
