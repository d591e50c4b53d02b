"""A cluster and its users, simulated: what two cores cannot show (S21, S22, C11 to C14)."""

from recsys_lib.simulation.cluster import (
    Change,
    Cluster,
    Level,
    Redis,
    ServerSpec,
    servers,
    without_degradation,
)
from recsys_lib.simulation.engine import simulate
from recsys_lib.simulation.eviction import Lru, S3Fifo, hit_rate
from recsys_lib.simulation.one_machine import OneMachine, simulate_one_machine
from recsys_lib.simulation.outcome import COMPUTED, FAILED, FROM_REDIS, FROM_SERVER, SHED, Outcome
from recsys_lib.simulation.service_times import (
    Constant,
    Exponential,
    LogNormal,
    Measured,
    ServiceTime,
)
from recsys_lib.simulation.theory import (
    che_characteristic_time,
    erlang_c,
    lru_hit_rate,
    lru_size_for,
    mmc_time,
    mmc_wait_quantile,
    power_of_choices_time,
    ttl_hit_rate,
)
from recsys_lib.simulation.workload import Requests, Spike, Workload, zipf_shares

__all__ = [
    "COMPUTED",
    "FAILED",
    "FROM_REDIS",
    "FROM_SERVER",
    "SHED",
    "Change",
    "Cluster",
    "Constant",
    "Exponential",
    "Level",
    "LogNormal",
    "Lru",
    "Measured",
    "OneMachine",
    "Outcome",
    "Redis",
    "Requests",
    "S3Fifo",
    "ServerSpec",
    "ServiceTime",
    "Spike",
    "Workload",
    "che_characteristic_time",
    "erlang_c",
    "hit_rate",
    "lru_hit_rate",
    "lru_size_for",
    "mmc_time",
    "mmc_wait_quantile",
    "power_of_choices_time",
    "servers",
    "simulate",
    "simulate_one_machine",
    "ttl_hit_rate",
    "without_degradation",
    "zipf_shares",
]
