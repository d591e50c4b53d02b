"""The simulation meets queueing theory, and no request is lost whatever happens to servers."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.serving.balancing import balancer
from recsys_lib.serving.degradation import Rung
from recsys_lib.simulation import (
    COMPUTED,
    FAILED,
    FROM_REDIS,
    FROM_SERVER,
    SHED,
    Change,
    Cluster,
    Constant,
    Exponential,
    Level,
    Redis,
    Requests,
    Workload,
    mmc_time,
    mmc_wait_quantile,
    power_of_choices_time,
    servers,
    simulate,
    without_degradation,
)


def run(cluster, requests, policy="round_robin", seed=0, **settings):
    return simulate(cluster, balancer(policy, cluster.weights(), **settings), requests, seed=seed)


def at(*times_s, users=None):
    return Requests(np.array(times_s, float), np.array(users or [0] * len(times_s)))


def steady(*, load, n_servers, workers=1, n=100_000):
    """Return a cluster whose answers take 1 s on average, and requests for it."""
    rate = load * n_servers * workers
    requests = Workload(rate=rate, duration_s=n / rate).draw(0)
    cluster = Cluster(
        servers=servers(n_servers, workers=workers), levels=without_degradation(Exponential(1.0))
    )
    return cluster, requests


@pytest.mark.parametrize("workers", [1, 4])
def test_one_queue_meets_mmc(workers):
    cluster, requests = steady(load=0.7, n_servers=1, workers=workers, n=200_000)
    outcome = run(cluster, requests)
    assert outcome.mean_latency() == pytest.approx(mmc_time(workers, 0.7), rel=0.05)


def test_the_waits_have_the_quantiles_of_theory():
    """The latency is the sum of a wait and an exponential service that is independent of it."""
    cluster, requests = steady(load=0.7, n_servers=1, workers=10, n=200_000)
    outcome = run(cluster, requests)
    rng = np.random.default_rng(0)
    waits = np.array([mmc_wait_quantile(10, 0.7, q) for q in rng.random(100_000)])
    expected = np.percentile(waits + rng.exponential(1.0, 100_000), [50, 95])
    assert outcome.percentile(50, 95) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("choices", [1, 2, 3])
def test_power_of_choices_meets_its_law(choices):
    cluster, requests = steady(load=0.7, n_servers=100, n=150_000)
    outcome = run(cluster, requests, "power_of_choices", choices=choices)
    warm = outcome.between(requests.times_s[30_000], np.inf)
    assert warm.mean_latency() == pytest.approx(power_of_choices_time(choices, 0.7), rel=0.05)


def test_a_queue_by_hand():
    cluster = Cluster(servers=servers(1), levels=without_degradation(Constant(1.0)))
    outcome = run(cluster, at(0, 0.5, 5))
    assert outcome.latency_s == pytest.approx([1.0, 1.5, 1.0])
    strong = Cluster(servers=servers(1, strengths=[2.0]), levels=without_degradation(Constant(1.0)))
    assert run(strong, at(0, 0.5)).latency_s == pytest.approx([0.5, 0.5])


def test_lists_are_cached_when_they_are_made_and_until_they_are_old():
    cluster = Cluster(
        servers=servers(1, workers=2, cache_size=10),
        levels=without_degradation(Constant(1.0)),
        hit=Constant(0.25),
        ttl_s=2.0,
    )
    outcome = run(cluster, at(0, 0.5, 2.9, 3.6, 4.0, users=[7, 7, 7, 7, 7]))
    # Made at 1 and 1.5; the second lives until 3.5.
    assert outcome.source.tolist() == [COMPUTED, COMPUTED, FROM_SERVER, COMPUTED, COMPUTED]
    assert outcome.latency_s == pytest.approx([1, 1, 0.25, 1, 1])


def test_redis_serves_all_servers_and_costs_a_wait_when_it_is_down():
    cluster = Cluster(
        servers=servers(2),
        levels=without_degradation(Constant(1.0)),
        redis=Redis(size=10, lookup=Constant(0.125), down=(10.0, 20.0), timeout_s=0.5),
    )
    outcome = run(cluster, at(0, 5, 15, 25))
    assert outcome.source.tolist() == [COMPUTED, FROM_REDIS, COMPUTED, FROM_REDIS]
    assert outcome.latency_s == pytest.approx([1.125, 0.125, 1.5, 0.125])


def test_a_longer_queue_lowers_the_level_and_then_sheds():
    levels = tuple(
        Level(rung=Rung(name=name, budget_s=9.0, max_queue=queue), service=Constant(seconds))
        for name, queue, seconds in (("full", 1, 1.0), ("popular", 3, 0.1))
    )
    cluster = Cluster(servers=servers(1), levels=levels)
    outcome = run(cluster, at(*[0.0] * 6))
    # One starts, three wait, two are shed; then 2 wait (popular), 1 (full), 0 (full).
    assert outcome.level.tolist() == [0, 1, 0, 0, SHED, SHED]
    assert outcome.latency_s[:4] == pytest.approx([1.0, 1.1, 2.1, 3.1])
    assert outcome.availability(2.5) == pytest.approx(3 / 6)
    assert outcome.shares_of_levels(2) == pytest.approx([3 / 6, 1 / 6])


def test_nobody_works_for_a_client_that_is_gone():
    cluster = Cluster(
        servers=servers(1), levels=without_degradation(Constant(1.0)), deadline_s=1.5
    )  # fmt: skip
    assert run(cluster, at(0, 0, 0)).level.tolist() == [0, 0, SHED]


def crash(*, requests, **settings):
    changes = (
        Change(at_s=0.5, what="crash", server="server-0"),
        Change(at_s=10.0, what="recover", server="server-0"),
    )
    cluster = Cluster(
        servers=servers(2, cache_size=5),
        levels=without_degradation(Constant(1.0)),
        changes=changes,
        detection_s=2.0,
        **settings,
    )
    return run(cluster, requests)


def test_a_crash_is_retried_elsewhere_noticed_and_recovered():
    outcome = crash(requests=at(0, 0, 1, 1.2, 5, 12, 13, users=[1, 2, 3, 4, 5, 6, 7]))
    assert (outcome.level == 0).all()
    # The first two are spread; the first moves over when its server dies, behind the second.
    assert outcome.latency_s[:2] == pytest.approx([2.0, 1.0])
    # Until it is noticed, attempts at the dead server are retried at once.
    assert outcome.server[2:5].tolist() == [1, 1, 1]
    assert set(outcome.server[5:].tolist()) == {0, 1}


def test_a_crash_empties_the_cache():
    outcome = crash(requests=at(-5, -3, 12, 13.5, users=[1, 1, 1, 1]))
    assert outcome.source.tolist()[:2] == [COMPUTED] * 2  # one at each server
    assert sorted(outcome.source.tolist()[2:]) == [COMPUTED, FROM_SERVER]


def test_without_retries_the_requests_of_a_crash_are_lost():
    outcome = crash(requests=at(0, 0, 1, 1.2), retries=0)
    assert outcome.level.tolist().count(FAILED) == 2
    assert np.isnan(outcome.latency_s).sum() == 2


def test_a_draining_server_finishes_its_work():
    cluster = Cluster(
        servers=servers(2),
        levels=without_degradation(Constant(5.0)),
        changes=(
            Change(at_s=1.0, what="drain", server="server-0"),
            Change(at_s=8.0, what="join", server="server-0"),
        ),
    )
    outcome = run(cluster, at(0, 0.5, 2, 3, 9, 9))
    assert (outcome.level == 0).all()
    assert outcome.server.tolist()[2:4] == [1, 1]
    assert set(outcome.server.tolist()[4:]) == {0, 1}


@pytest.mark.parametrize("policy", ["least_connections", "bounded_load_hash"])
def test_every_request_ends_and_the_balancer_is_empty(policy):
    workload = Workload(rate=300, duration_s=20, n_users=500)
    changes = [
        Change(at_s=at_s, what=what, server=f"server-{at_s % 5}")
        for start, what in ((3, "crash"), (4, "drain"), (8, "recover"), (9, "join"))
        for at_s in (start, start + 10)
    ]
    cluster = Cluster(
        servers=servers(5, strengths=[1, 2], workers=2, cache_size=20),
        levels=(
            Level(rung=Rung(name="full", budget_s=9, max_queue=50), service=Exponential(0.03)),
        ),
        redis=Redis(size=100, down=(5, 7)),
        deadline_s=1.0,
        changes=tuple(changes),
    )
    built = balancer(policy, cluster.weights())
    outcome = simulate(cluster, built, workload.draw(0), seed=0)
    assert ((outcome.level >= 0) == np.isfinite(outcome.latency_s)).all()
    assert ((outcome.level >= 0) == (outcome.source >= 0)).all()
    assert (outcome.latency_s[outcome.level >= 0] > 0).all()
    assert all(server.active == 0 for server in built.servers)
    again = simulate(cluster, balancer(policy, cluster.weights()), workload.draw(0), seed=0)
    assert np.array_equal(outcome.latency_s, again.latency_s, equal_nan=True)


def test_a_cluster_without_sense_is_refused():
    with pytest.raises(RecsysError, match=r"unknown servers: \['x'\]"):
        Cluster(
            servers=servers(1),
            levels=without_degradation(Constant(1.0)),
            changes=(Change(at_s=0, what="crash", server="x"),),
        )
