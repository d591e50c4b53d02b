"""The experiments of C11 to C14, small: each figure is what the law or the design says."""

import pandas as pd
import pytest

from recsys_lib.simulation.experiments import (
    cache_by_size_and_ttl,
    hits_lost,
    keys_moved,
    over_seeds,
    policies_compared,
    spike,
)

SEEDS = (0, 1)


def test_the_cache_meets_the_law_that_binds():
    rows = cache_by_size_and_ttl(
        [50, 1_999], [2.0, float("inf")], n_users=2_000, n_requests=60_000, seeds=SEEDS
    )
    small = rows[(rows["size"] == 50) & (rows["ttl_s"] == float("inf"))]
    assert small["hit_rate"].mean() == pytest.approx(small["che"].mean(), abs=0.01)
    short = rows[(rows["size"] == 1_999) & (rows["ttl_s"] == 2.0)]
    assert short["hit_rate"].mean() == pytest.approx(short["ttl_law"].mean(), abs=0.01)


def test_only_plain_hashing_moves_more_than_it_must():
    rows = keys_moved(n_keys=2_000, seeds=SEEDS).set_index("policy")
    plain = rows.loc["hash_by_key"]
    assert (plain[["leave", "join"]] > 0.85).all(axis=None)
    ringed = rows.drop(index="hash_by_key")
    assert (ringed["leave"] == ringed["least_leave"]).all()
    assert (ringed["join"] == ringed["least_join"]).all()


def test_plain_hashing_loses_its_caches():
    rows = hits_lost(
        ["hash_by_key", "rendezvous"], cache_size=200, n_users=2_000, phase_s=5, seeds=SEEDS
    )
    lost = rows.pivot(index="seed", columns="policy", values="lost")
    assert (lost["hash_by_key"] > lost["rendezvous"] + 0.1).all()


def test_keyed_policies_keep_caches_warm_and_weights_spread_the_load():
    rows = policies_compared(
        ["round_robin", "weighted_round_robin", "consistent_hash"], duration_s=15, seeds=SEEDS
    )
    hits = rows.pivot(index="seed", columns="policy", values="hit_rate")
    assert (hits["consistent_hash"] > hits["round_robin"] + 0.2).all()
    imbalance = rows.pivot(index="seed", columns="policy", values="imbalance")
    # Strengths 1, 1, 2 and equal parts: the weak have 4/3 of their share.
    assert imbalance["round_robin"].to_numpy() == pytest.approx([4 / 3] * 2, rel=0.01)
    assert imbalance["weighted_round_robin"].to_numpy() == pytest.approx([1.0] * 2, rel=0.01)


def test_the_ladder_outlasts_a_peak_of_five_times_the_capacity():
    rows = spike(spike_s=5, calm_s=3, seeds=SEEDS).set_index("defence")
    assert (rows.loc["ladder", ["before", "during", "after"]] > 0.999).all(axis=None)
    assert (rows.loc["none", "during"] < 0.1).all()
    # Shedding answers what there is capacity for: a fifth, and the queue that is left at the end.
    assert (rows.loc["shedding", "goodput"] > 0.9).all()
    assert (rows.loc["shedding", "after"] > 0.95).all()


def test_seeds_are_summarised():
    rows = pd.DataFrame({"policy": ["a", "a", "b"], "seed": [0, 1, 0], "x": [1.0, 3.0, 5.0]})
    summary = over_seeds(rows, "policy")
    assert summary["x"].tolist() == [2.0, 5.0]
    # Two runs: 12.706 (t with one degree of freedom) times the standard error 1.
    assert summary["x_high"][0] == pytest.approx(2 + 12.706, abs=0.001)
    assert summary["x_low"].isna().tolist() == [False, True]
