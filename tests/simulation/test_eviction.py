"""Caches against theory, and against a model that says for every request what is in them."""

import numpy as np
import pytest
from cachetools import LRUCache

from recsys_lib.simulation import (
    Lru,
    S3Fifo,
    Workload,
    hit_rate,
    lru_hit_rate,
    ttl_hit_rate,
    zipf_shares,
)


def trace(n_users=2_000, exponent=1.0, n=100_000, rate=1_000):
    requests = Workload(
        rate=rate, duration_s=n / rate, n_users=n_users, exponent=exponent
    ).draw(0)  # fmt: skip
    return requests.users.tolist(), requests.times_s.tolist()


@pytest.mark.parametrize("size", [20, 200, 1_000])
@pytest.mark.parametrize("exponent", [0.7, 1.0])
def test_lru_meets_che_within_a_hundredth(size, exponent):
    users, times = trace(exponent=exponent)
    predicted = lru_hit_rate(zipf_shares(2_000, exponent), size)
    assert hit_rate(Lru(size), users, times, warm_up=20_000) == pytest.approx(predicted, abs=0.01)


def test_lru_is_cachetools():
    users, times = trace(n=5_000)
    ours, theirs = Lru(50), LRUCache(50)
    for user, time in zip(users, times, strict=True):
        found = user in theirs and theirs[user]
        assert ours.get(user, time) == bool(found)
        if not found:
            ours.put(user, np.inf)
            theirs[user] = True


def test_entries_expire():
    cache = Lru(2)
    cache.put("a", 1.0)
    assert cache.get("a", 0.99)
    assert not cache.get("a", 1.0)
    assert len(cache) == 0


def test_expiry_meets_its_law():
    users, times = trace(n_users=500, n=200_000)
    predicted = ttl_hit_rate(zipf_shares(500, 1.0), 1_000, 5.0)
    found = hit_rate(Lru(500), users, times, ttl_s=5.0, warm_up=20_000)
    assert found == pytest.approx(predicted, abs=0.005)


def test_s3_fifo_by_hand():
    cache = S3Fifo(10)  # a small queue of 1
    cache.put("old", np.inf)
    assert cache.get("old", 0)
    for key in range(9):
        cache.put(key, np.inf)
    cache.put("new", np.inf)  # "old" was asked again and moves on; 0 was not and goes
    assert [cache.get(key, 0) for key in ("old", 0, 1)] == [True, False, True]
    cache.put(0, np.inf)  # a ghost: to the main queue; 1 was asked, 2 goes
    assert list(cache._main) == ["old", 1, 0]
    assert not cache.get(2, 0)


def test_s3_fifo_keeps_its_size_and_expires():
    users, times = trace(n=20_000)
    cache = S3Fifo(100)
    for user, time in zip(users, times, strict=True):
        if not cache.get(user, time):
            cache.put(user, time + 2.0)
        assert len(cache) <= 100
        assert len(cache._small) + len(cache._main) == len(cache)


def test_keys_asked_once_do_not_push_out_the_popular_in_s3_fifo():
    users, times = trace()
    rng = np.random.default_rng(0)
    scan = rng.random(len(users)) < 0.5
    mixed = [-place if once else user for place, (user, once) in enumerate(zip(users, scan))]  # noqa: B905
    assert hit_rate(S3Fifo(100), mixed, times) > hit_rate(Lru(100), mixed, times) + 0.03
