"""The predictions, against figures known from elsewhere."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.simulation import (
    che_characteristic_time,
    erlang_c,
    lru_hit_rate,
    lru_size_for,
    mmc_time,
    mmc_wait_quantile,
    power_of_choices_time,
    ttl_hit_rate,
    zipf_shares,
)


def test_erlang_c_by_hand():
    # c = 2, offered 1: (1/2) / (1 - 1/2) against 1 + 1: 1 / (1 + 1 + 1).
    assert erlang_c(2, 0.5) == pytest.approx(1 / 3)
    assert erlang_c(1, 0.7) == pytest.approx(0.7)


def test_erlang_c_by_its_definition():
    offered, workers = 8.0, 10
    terms = np.cumprod([1.0, *[offered / k for k in range(1, workers + 1)]])
    waiting = terms[-1] * workers / (workers - offered)
    assert erlang_c(workers, 0.8) == pytest.approx(waiting / (terms[:-1].sum() + waiting))


def test_many_workers_do_not_overflow():
    assert 0 < erlang_c(5_000, 0.99) < 1


def test_one_worker():
    assert mmc_time(1, 0.9, 2.0) == pytest.approx(20.0)
    # The wait is 0 with probability 0.1, else exponential: P(W > w) = 0.9 exp(-0.1 w).
    assert mmc_wait_quantile(1, 0.9, 0.95) == pytest.approx(10 * np.log(0.9 / 0.05))
    assert mmc_wait_quantile(1, 0.5, 0.3) == 0.0


@pytest.mark.parametrize(
    ("choices", "load", "time"), [(1, 0.99, 100), (2, 0.99, 5.43), (1, 0.9, 10), (2, 0.9, 2.61)]
)
def test_power_of_choices_as_published(choices, load, time):
    assert power_of_choices_time(choices, load) == pytest.approx(time, abs=0.005)


def test_che_fills_the_cache_exactly():
    shares = zipf_shares(1_000, 0.9)
    time = che_characteristic_time(shares, 100)
    assert (1 - np.exp(-shares * time)).sum() == pytest.approx(100)


def test_alike_users_hit_as_often_as_they_fit():
    assert lru_hit_rate(np.full(1_000, 1e-3), 250) == pytest.approx(0.25)
    assert lru_hit_rate(np.full(1_000, 1e-3), 1_000) == 1.0


def test_size_for_a_hit_rate():
    shares = zipf_shares(2_000, 1.0)
    size = lru_size_for(shares, 0.9)
    assert lru_hit_rate(shares, size - 1) < 0.9 <= lru_hit_rate(shares, size)


def test_ttl_by_hand():
    # Two users, each once in 2 s, and 4 s to live: 2 hits a miss.
    assert ttl_hit_rate([0.5, 0.5], rate=1.0, ttl_s=4.0) == pytest.approx(2 / 3)


def test_what_has_no_answer_is_refused():
    with pytest.raises(RecsysError, match="The load is 1"):
        mmc_time(1, 1.0)
    with pytest.raises(RecsysError, match="cache of size 5 must hold 1 to 4"):
        che_characteristic_time(np.full(5, 0.2), 5)
    with pytest.raises(RecsysError, match="hit rate of 1"):
        lru_size_for(np.full(5, 0.2), 1.0)
