"""How long a million interactions take each bandit (``make bench``)."""

import numpy as np
import pytest

from recsys_lib.online import (
    EpsilonGreedy,
    LinearThompson,
    LinUCB,
    SimulatedUsers,
    ThompsonSampling,
    play,
)


@pytest.fixture(scope="module")
def users():
    rng = np.random.default_rng(0)
    contexts = np.concatenate([np.ones((1_000, 1)), rng.normal(size=(1_000, 7))], axis=1)
    chances = 1 / (1 + np.exp(-contexts @ rng.normal(size=(8, 20))))
    return SimulatedUsers(contexts, chances, np.arange(20))


@pytest.mark.benchmark(group="a million interactions with 20 arms, in 20 runs at once")
@pytest.mark.parametrize("bandit", [EpsilonGreedy, ThompsonSampling, LinUCB, LinearThompson])
def test_a_million_interactions(benchmark, users, bandit):
    benchmark.pedantic(lambda: play(bandit(), users, n_rounds=50_000, n_runs=20), rounds=1)
