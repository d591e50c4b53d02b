"""Servers that share the cores of one machine meet the laws of processor sharing."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.serving.balancing import balancer
from recsys_lib.simulation import (
    Constant,
    Exponential,
    LogNormal,
    OneMachine,
    Requests,
    Workload,
    simulate_one_machine,
)

SERVICE_S = 0.012


def latency(machine, n_servers=1, rate=50.0, policy="round_robin", seed=1):
    names = [f"server-{number}" for number in range(n_servers)]
    requests = Workload(rate=rate, duration_s=600, n_users=10).draw(seed)
    return simulate_one_machine(machine, balancer(policy, names), requests, seed=seed)


@pytest.mark.parametrize(
    "service",
    [Constant(SERVICE_S), Exponential(SERVICE_S), LogNormal(SERVICE_S, variation=1.5)],
    ids=lambda each: type(each).__name__,
)
def test_the_mean_depends_on_nothing_but_the_mean_service(service):
    """M/G/1 with processor sharing: s / (1 - load), whatever the distribution (Kleinrock 1976)."""
    assert latency(OneMachine(service=service)).mean() == pytest.approx(
        SERVICE_S / (1 - 50 * SERVICE_S), rel=0.05
    )


def test_two_processes_on_one_core_are_as_slow_as_one():
    machine = OneMachine(service=Exponential(SERVICE_S), cores=1)
    mean = latency(machine, n_servers=2, policy="least_connections").mean()
    assert mean == pytest.approx(SERVICE_S / (1 - 50 * SERVICE_S), rel=0.05)


def test_two_processes_on_two_cores_do_not_wait_for_each_other():
    requests = Requests(np.array([0.0, 0.0]), np.array([1, 2]))
    machine = OneMachine(service=Constant(SERVICE_S))
    both = simulate_one_machine(machine, balancer("round_robin", ["a", "b"]), requests, seed=1)
    np.testing.assert_allclose(both, SERVICE_S)


def test_a_core_is_shared_by_hand():
    """One starts at 0 with 4 s of work, one at 1 with 2 s: they share until 5, then 1 s is left."""
    requests = Requests(np.array([0.0, 1.0]), np.array([1, 2]))

    class FourThenTwo(Constant):
        def draw(self, rng, n):
            return np.array([4.0, 2.0])

    machine = OneMachine(service=FourThenTwo(0.0))
    found = simulate_one_machine(machine, balancer("round_robin", ["a"]), requests, seed=1)
    np.testing.assert_allclose(found, [6.0, 4.0])


def test_what_is_in_front_and_the_slowdown_count():
    requests = Requests(np.array([0.0, 0.0]), np.array([1, 2]))
    machine = OneMachine(service=Constant(1.0), slowdown=1.25)
    both = simulate_one_machine(machine, balancer("round_robin", ["a", "b"]), requests, seed=1)
    np.testing.assert_allclose(both, 1.25)
    alone = Requests(np.array([0.0]), np.array([1]))
    machine = OneMachine(service=Constant(1.0), slowdown=1.25, front_s=0.5)
    found = simulate_one_machine(machine, balancer("round_robin", ["a", "b"]), alone, seed=1)
    np.testing.assert_allclose(found, 1.5)


@pytest.mark.parametrize("wrong", [{"front_s": -1.0}, {"cores": 0}, {"slowdown": 0.9}])
def test_a_machine_that_cannot_be_is_refused(wrong):
    with pytest.raises(RecsysError, match="A machine needs"):
        OneMachine(service=Constant(1.0), **wrong)
