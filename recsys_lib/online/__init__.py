"""Learning while serving (S24)."""

from recsys_lib.online.bandits import (
    UCB,
    Bandit,
    EpsilonGreedy,
    RandomArms,
    ThompsonSampling,
)
from recsys_lib.online.linear_bandits import LinearGreedy, LinearThompson, LinUCB
from recsys_lib.online.logs import logged_impressions, replayed
from recsys_lib.online.simulated_users import Played, SimulatedUsers, play

__all__ = [
    "UCB",
    "Bandit",
    "EpsilonGreedy",
    "LinUCB",
    "LinearGreedy",
    "LinearThompson",
    "Played",
    "RandomArms",
    "SimulatedUsers",
    "ThompsonSampling",
    "logged_impressions",
    "play",
    "replayed",
]
