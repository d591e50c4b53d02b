"""Bandits (多臂老虎机): policies that choose, see what came of it, and choose better.

All of them play many independent runs at once: arrays have the run as their first axis, so that a
regret curve over twenty seeds costs hardly more than one.
"""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np


class Bandit(ABC):
    """The best arm by its scores, or with probability ``epsilon`` any.

    Attributes
    ----------
    epsilon : float
        Share of rounds in which an arm is drawn uniformly.
    """

    epsilon: float = 0.0

    @abstractmethod
    def start(self, n_runs: int, n_arms: int, dim: int) -> Self:
        """Forget everything and begin runs.

        Parameters
        ----------
        n_runs, n_arms : int
        dim : int
            Numbers in a context.
        """

    @abstractmethod
    def scores(self, contexts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return how good each arm is: float64, (runs, arms).

        Parameters
        ----------
        contexts : float array, shape (runs, dim)
        rng : Generator
        """

    @abstractmethod
    def update(
        self,
        contexts: np.ndarray,
        arms: np.ndarray,
        rewards: np.ndarray,
        runs: np.ndarray | None = None,
    ) -> None:
        """Learn from one round of each run.

        Parameters
        ----------
        contexts : float array, shape (n, dim)
        arms : int array, shape (n,)
        rewards : float array, shape (n,)
        runs : int array, shape (n,), optional
            Which runs saw a reward, each at most once; by default all of them, in order.
        """

    def choose(self, contexts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an arm for each run: int64, (runs,). Ties are broken at random."""
        scores = self.scores(contexts, rng)
        best = scores == scores.max(axis=1, keepdims=True)
        arms = np.where(best, rng.random(scores.shape), -1.0).argmax(axis=1)
        if self.epsilon:
            explore = rng.random(len(arms)) < self.epsilon
            arms = np.where(explore, rng.integers(scores.shape[1], size=len(arms)), arms)
        return arms

    def chances(self, contexts: np.ndarray) -> np.ndarray:
        """Return with what probability each arm would be chosen: float64, (runs, arms).

        These are the propensities of a log. A policy whose scores are drawn has none that are
        known, and raises TypeError.
        """
        scores = self.scores(contexts, None)
        best = scores == scores.max(axis=1, keepdims=True)
        greedy = best / best.sum(axis=1, keepdims=True)
        return (1 - self.epsilon) * greedy + self.epsilon / scores.shape[1]


class _CountingBandit(Bandit):
    """A bandit that knows no context: it counts, for each arm.

    Attributes
    ----------
    pulls_, rewards_ : float64 arrays, shape (runs, arms)
    """

    def start(self, n_runs, n_arms, dim=0):
        self.pulls_ = np.zeros((n_runs, n_arms))
        self.rewards_ = np.zeros((n_runs, n_arms))
        return self

    def update(self, contexts, arms, rewards, runs=None):
        runs = np.arange(len(arms)) if runs is None else runs
        self.pulls_[runs, arms] += 1
        self.rewards_[runs, arms] += rewards

    def _means(self) -> np.ndarray:
        return self.rewards_ / np.maximum(self.pulls_, 1)


class RandomArms(_CountingBandit):
    """Any arm: the floor of every comparison, and the cleanest log."""

    def scores(self, contexts, rng):
        return np.zeros_like(self.pulls_)


class EpsilonGreedy(_CountingBandit):
    """The arm of the best mean so far, and now and then any.

    Parameters
    ----------
    epsilon : float
        Share of rounds that explore; 0 is greedy.
    prior : float, optional
        Reward of a pull that each arm is taken to have had before the first round. Where it is
        the largest reward there is, every arm is tried without any exploring (optimism; Sutton
        and Barto, 1998). By default there is no such pull, and an arm never pulled has mean 0.
    """

    def __init__(self, *, epsilon: float = 0.1, prior: float | None = None):
        self.epsilon = epsilon
        self.prior = prior

    def scores(self, contexts, rng):
        if self.prior is None:
            return self._means()
        return (self.prior + self.rewards_) / (1 + self.pulls_)


class UCB(_CountingBandit):
    """UCB1: the mean and a bonus for what is little known (Auer and others, 2002).

    Parameters
    ----------
    width : float
        Of the bonus ``width * sqrt(2 log(t) / pulls)``; an arm never pulled comes first.
    """

    def __init__(self, *, width: float = 1.0):
        self.width = width

    def scores(self, contexts, rng):
        rounds = np.maximum(self.pulls_.sum(axis=1, keepdims=True), 1)
        bonus = np.sqrt(2 * np.log(rounds) / np.maximum(self.pulls_, 1))
        return np.where(self.pulls_ > 0, self._means() + self.width * bonus, np.inf)


class ThompsonSampling(_CountingBandit):
    """Each arm as often as it may be the best (Thompson, 1933), for rewards of 0 and 1.

    Parameters
    ----------
    prior : float
        Both parameters of the beta distribution before the first round; 1 is uniform.
    """

    def __init__(self, *, prior: float = 1.0):
        self.prior = prior

    def scores(self, contexts, rng):
        if rng is None:
            raise TypeError("Thompson sampling has no chances that are known in closed form.")
        return rng.beta(self.prior + self.rewards_, self.prior + self.pulls_ - self.rewards_)
