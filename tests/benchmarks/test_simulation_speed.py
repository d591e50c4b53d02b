"""How long a million requests through a hundred servers take (``make bench``)."""

import pytest

from recsys_lib.serving.balancing import POLICIES, balancer
from recsys_lib.simulation import (
    Cluster,
    Exponential,
    Workload,
    servers,
    simulate,
    without_degradation,
)


@pytest.fixture(scope="module")
def requests():
    return Workload(rate=9_000, duration_s=1_000_000 / 9_000, n_users=1_000_000).draw(0)


@pytest.mark.benchmark(group="a million requests through a hundred servers with caches")
@pytest.mark.parametrize("policy", POLICIES)
def test_a_million_requests(benchmark, requests, policy):
    cluster = Cluster(
        servers=servers(100, cache_size=1_000), levels=without_degradation(Exponential(0.01))
    )
    benchmark.pedantic(
        lambda: simulate(cluster, balancer(policy, cluster.weights()), requests, seed=0), rounds=1
    )
