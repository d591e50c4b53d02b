"""C12 and C13: what a policy means for caches, for latency, and when a server leaves."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from recsys_lib.serving.balancing import POLICIES, balancer
from recsys_lib.simulation.cluster import Change, Cluster, servers, without_degradation
from recsys_lib.simulation.engine import simulate
from recsys_lib.simulation.experiments.common import FULL, SEEDS, rate_for
from recsys_lib.simulation.outcome import Outcome
from recsys_lib.simulation.service_times import ServiceTime
from recsys_lib.simulation.workload import Workload

KEYED = ("hash_by_key", "consistent_hash", "bounded_load_hash", "rendezvous")


def keys_moved(
    policies: Iterable[str] = KEYED,
    *,
    n_servers: int = 10,
    n_keys: int = 10_000,
    seeds: Iterable[int] = SEEDS,
) -> pd.DataFrame:
    """C12: the share of keys that belong to another server after one has left, or has joined.

    Returns
    -------
    DataFrame
        ``policy``, ``seed``, ``leave``, ``join`` (shares of all keys that moved), ``least_leave``,
        ``least_join`` (those that had to: the keys of the server in question).
    """
    rows = []
    for seed, policy in product(seeds, policies):
        names = [f"{seed}-{number}" for number in range(n_servers + 1)]
        of = {}
        for what, members in (
            ("before", names[:-1]),
            ("leave", names[1:-1]),
            ("join", names),
        ):
            built = balancer(policy, members)
            of[what] = np.array([built.pick(f"{seed}:{key}").name for key in range(n_keys)])
        rows.append(
            {
                "policy": policy,
                "seed": seed,
                "leave": (of["before"] != of["leave"]).mean(),
                "join": (of["before"] != of["join"]).mean(),
                "least_leave": (of["before"] == names[0]).mean(),
                "least_join": (of["join"] == names[-1]).mean(),
            }
        )
    return pd.DataFrame(rows)


def hits_lost(
    policies: Iterable[str] = KEYED,
    *,
    n_servers: int = 10,
    cache_size: int = 1_000,
    n_users: int = 10_000,
    load: float = 0.5,
    phase_s: float = 30.0,
    service: ServiceTime = FULL,
    seeds: Iterable[int] = SEEDS,
) -> pd.DataFrame:
    """C12: what the caches of a cluster lose when one of its servers leaves.

    The caches fill for two phases, then the server leaves. The same trace without the departure
    is the comparison, because caches that still fill hide a part of the loss.

    Returns
    -------
    DataFrame
        ``policy``, ``seed``; ``kept``, ``left``: hit rate in the first tenth of the last phase,
        with all servers and after the departure; ``lost``: their difference; ``lost_in_phase``:
        the same over the whole phase.
    """
    stays = Cluster(
        servers=servers(n_servers, cache_size=cache_size), levels=without_degradation(service)
    )
    leaves = replace(stays, changes=(Change(at_s=2 * phase_s, what="leave", server="server-0"),))
    workload = Workload(
        rate=rate_for(load, n_servers, service), duration_s=3 * phase_s, n_users=n_users
    )
    rows = []
    for seed, policy in product(seeds, policies):
        requests = workload.draw(seed)
        kept, left = (
            simulate(cluster, balancer(policy, cluster.weights()), requests, seed=seed).between(
                2 * phase_s, 3 * phase_s
            )
            for cluster in (stays, leaves)
        )
        soon = 2.1 * phase_s
        rows.append(
            {
                "policy": policy,
                "seed": seed,
                "kept": kept.between(0, soon).hit_rate(),
                "left": left.between(0, soon).hit_rate(),
                "lost": kept.between(0, soon).hit_rate() - left.between(0, soon).hit_rate(),
                "lost_in_phase": kept.hit_rate() - left.hit_rate(),
            }
        )
    return pd.DataFrame(rows)


def policies_compared(
    policies: Iterable[str] = tuple(POLICIES),
    *,
    n_servers: int = 12,
    strengths: Sequence[float] = (1.0, 1.0, 2.0),
    cache_size: int = 500,
    n_users: int = 10_000,
    exponent: float = 0.8,
    load: float = 0.7,
    duration_s: float = 60.0,
    service: ServiceTime = FULL,
    seeds: Iterable[int] = SEEDS,
) -> pd.DataFrame:
    """C13: cache hits and latency of each policy, on servers of different strength.

    The first half fills the caches, the second is counted.

    Parameters
    ----------
    load : float
        Share of the capacity that is asked for if nothing is cached.

    Returns
    -------
    DataFrame
        ``policy``, ``seed``, ``hit_rate``, ``p50_ms``, ``p99_ms``, ``imbalance`` (the most
        requests by strength of a server, by the mean).
    """
    cluster = Cluster(
        servers=servers(n_servers, strengths=strengths, cache_size=cache_size),
        levels=without_degradation(service),
    )
    strength = np.array([server.strength for server in cluster.servers])
    rate = rate_for(load, strength.sum(), service)

    def figures(outcome: Outcome) -> dict:
        warm = outcome.between(duration_s / 2, duration_s)
        p50, p99 = warm.percentile(50, 99)
        load_of = warm.requests_of_servers(n_servers) / strength
        return {
            "hit_rate": warm.hit_rate(),
            "p50_ms": 1_000 * p50,
            "p99_ms": 1_000 * p99,
            "imbalance": load_of.max() / (len(warm.requests) / strength.sum()),
        }

    workload = Workload(rate=rate, duration_s=duration_s, n_users=n_users, exponent=exponent)
    rows = []
    for seed, policy in product(seeds, policies):
        outcome = simulate(
            cluster, balancer(policy, cluster.weights()), workload.draw(seed), seed=seed
        )
        rows.append({"policy": policy, "seed": seed, **figures(outcome)})
    return pd.DataFrame(rows)
