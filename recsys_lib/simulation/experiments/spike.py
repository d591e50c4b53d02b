"""C14: a peak of several times the capacity, with and without degradation."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from recsys_lib.serving.balancing import balancer
from recsys_lib.serving.degradation import Rung
from recsys_lib.simulation.cluster import Cluster, Level, servers, without_degradation
from recsys_lib.simulation.engine import simulate
from recsys_lib.simulation.experiments.common import FULL, SEEDS, mean_of
from recsys_lib.simulation.service_times import LogNormal, ServiceTime
from recsys_lib.simulation.workload import Spike, Workload


def ladder_levels(service: ServiceTime = FULL, *, queue_s: float = 0.05) -> tuple[Level, ...]:
    """Return the ladder of the course over a full answer.

    A light model takes a quarter, a stored list a twentieth, the popular list a hundredth of the
    time of the full answer.

    Parameters
    ----------
    service : ServiceTime
        Of the full answer.
    queue_s : float
        A level is left for the next when its server would need longer than this for its queue.
    """
    mean_s = mean_of(service)
    levels = []
    for name, part in (("full", 1.0), ("light", 1 / 4), ("stored", 1 / 20), ("popular", 1 / 100)):
        rung = Rung(
            name=name,
            budget_s=10 * mean_s * part,
            max_queue=max(round(queue_s / (mean_s * part)), 1),
        )
        levels.append(Level(rung=rung, service=service if part == 1 else LogNormal(mean_s * part)))
    return tuple(levels)


def spike(
    defences: Mapping[str, Cluster] | None = None,
    *,
    n_servers: int = 4,
    normal_load: float = 0.5,
    spike_load: float = 5.0,
    spike_s: float = 20.0,
    calm_s: float = 20.0,
    within_s: float = 1.0,
    service: ServiceTime = FULL,
    seeds: Iterable[int] = SEEDS,
) -> pd.DataFrame:
    """C14: a peak of several times the capacity, with and without degradation.

    Parameters
    ----------
    defences : mapping of str to Cluster, optional
        What is compared. By default ``none``; ``shedding``, which refuses what it can't answer in
        time; ``ladder``, which steps down and sheds only at its end.
    normal_load, spike_load : float
        Requests by capacity of the full answer, outside the peak and in it.
    spike_s, calm_s : float
        Length of the peak, and of the time before and after it.
    within_s : float
        An answer counts within this time.

    Returns
    -------
    DataFrame
        ``defence``, ``seed``; ``before``, ``during``, ``after``: availability; ``goodput``:
        answers in time during the peak by the capacity; ``p99_ms`` during the peak; ``full``:
        share of the answers during the peak that are of the best level.
    """
    mean_s = mean_of(service)
    if defences is None:
        open_end = without_degradation(service)
        # A queue that is worked off in half the time that a client waits.
        bounded = replace(open_end[0].rung, max_queue=max(round(within_s / 2 / mean_s), 1))
        fleet = servers(n_servers)
        defences = {
            "none": Cluster(servers=fleet, levels=open_end),
            "shedding": Cluster(
                servers=fleet,
                levels=(Level(rung=bounded, service=service),),
                deadline_s=within_s,
            ),
            "ladder": Cluster(servers=fleet, levels=ladder_levels(service), deadline_s=within_s),
        }
    capacity = n_servers / mean_s
    workload = Workload(
        rate=normal_load * capacity,
        duration_s=2 * calm_s + spike_s,
        spikes=(Spike(at_s=calm_s, length_s=spike_s, factor=spike_load / normal_load),),
    )
    rows = []
    for seed in seeds:
        requests = workload.draw(seed)
        for name, cluster in defences.items():
            outcome = simulate(
                cluster, balancer("power_of_choices", cluster.weights(), seed=seed), requests,
                seed=seed,
            )  # fmt: skip
            before = outcome.between(0, calm_s)
            during = outcome.between(calm_s, calm_s + spike_s)
            after = outcome.between(calm_s + spike_s, workload.duration_s)
            rows.append(
                {
                    "defence": name,
                    "seed": seed,
                    "before": before.availability(within_s),
                    "during": during.availability(within_s),
                    "after": after.availability(within_s),
                    "goodput": during.goodput(within_s) / capacity,
                    "p99_ms": 1_000 * during.percentile(99)[0],
                    "full": (during.level == 0).sum() / max((during.level >= 0).sum(), 1),
                }
            )
    return pd.DataFrame(rows)
