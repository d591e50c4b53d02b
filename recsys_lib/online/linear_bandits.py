"""Contextual bandits: a ridge regression for each arm says what a user makes of it."""

import numpy as np

from recsys_lib.online.bandits import Bandit


class _LinearBandit(Bandit):
    """One ridge regression an arm, kept up to date by the Sherman-Morrison formula.

    Attributes
    ----------
    prior : float
        What is expected of an arm of which nothing is known: the regression is one of rewards less
        this. The papers take 0, which is pessimistic where rewards are 0 or 1.
    inverse_ : float64 array, shape (runs, arms, dim, dim)
        Inverse of the regularised sum of the outer products of contexts.
    moments_ : float64 array, shape (runs, arms, dim)
        Sums of contexts times rewards less the prior.
    weights_ : float64 array, shape (runs, arms, dim)
        ``inverse_ @ moments_``, the regression.
    """

    ridge: float
    prior: float

    def start(self, n_runs, n_arms, dim):
        self.inverse_ = np.zeros((n_runs, n_arms, dim, dim))
        self.inverse_[:] = np.eye(dim) / self.ridge
        self.moments_ = np.zeros((n_runs, n_arms, dim))
        self.weights_ = np.zeros((n_runs, n_arms, dim))
        return self

    def update(self, contexts, arms, rewards, runs=None):
        runs = np.arange(len(arms)) if runs is None else runs
        inverse = self.inverse_[runs, arms]  # (runs, dim, dim)
        moved = np.matmul(inverse, contexts[:, :, None])[:, :, 0]  # (runs, dim)
        scale = 1 + (contexts * moved).sum(axis=1)
        inverse -= moved[:, :, None] * (moved / scale[:, None])[:, None, :]
        self.inverse_[runs, arms] = inverse
        self.moments_[runs, arms] += contexts * (rewards - self.prior)[:, None]
        moments = self.moments_[runs, arms]
        self.weights_[runs, arms] = np.matmul(inverse, moments[:, :, None])[:, :, 0]

    def means(self, contexts: np.ndarray) -> np.ndarray:
        """Return the expected reward of each arm: float64, (runs, arms)."""
        return self.prior + np.matmul(self.weights_, contexts[:, :, None])[:, :, 0]

    def spreads(self, contexts: np.ndarray) -> np.ndarray:
        """Return how unsure each mean is, ``sqrt(x' inverse x)``: float64, (runs, arms)."""
        column = contexts[:, None, :, None]  # (runs, 1, dim, 1)
        moved = np.matmul(self.inverse_, column)[:, :, :, 0]  # (runs, arms, dim)
        return np.sqrt((moved * contexts[:, None, :]).sum(axis=2))


class LinUCB(_LinearBandit):
    """The mean and a bonus for what is little known of such users (Li and others, 2010).

    Parameters
    ----------
    width : float
        Of the bonus, in standard errors (alpha in the paper).
    ridge : float
        Strength of the regularisation.
    prior : float
        Reward expected of an arm of which nothing is known.
    """

    def __init__(self, *, width: float = 1.0, ridge: float = 1.0, prior: float = 0.0):
        self.width = width
        self.ridge = ridge
        self.prior = prior

    def scores(self, contexts, rng):
        return self.means(contexts) + self.width * self.spreads(contexts)


class LinearGreedy(_LinearBandit):
    """The best mean, without a bonus: the competitor that is hard to beat.

    Where contexts vary, they explore by themselves (Bastani and others, 2021).

    Parameters
    ----------
    epsilon : float
        Share of rounds that explore.
    ridge : float
    prior : float
        Reward expected of an arm of which nothing is known. The largest there is makes greedy
        optimistic: it tries each arm until it has been disappointed.
    """

    def __init__(self, *, epsilon: float = 0.0, ridge: float = 1.0, prior: float = 0.0):
        self.epsilon = epsilon
        self.ridge = ridge
        self.prior = prior

    def scores(self, contexts, rng):
        return self.means(contexts)


class LinearThompson(_LinearBandit):
    """Weights drawn from what is known of them (Agrawal and Goyal, 2013).

    The regressions of the arms are independent, so drawing their weights and multiplying with the
    context is the same as drawing the scores: normal, with mean and spread as above.

    Parameters
    ----------
    width : float
        By which the spread is multiplied.
    ridge, prior : float
        As of :class:`LinUCB`.
    """

    def __init__(self, *, width: float = 0.3, ridge: float = 1.0, prior: float = 0.0):
        self.width = width
        self.ridge = ridge
        self.prior = prior

    def scores(self, contexts, rng):
        if rng is None:
            raise TypeError("Linear Thompson sampling has no chances known in closed form.")
        means = self.means(contexts)
        return means + self.width * self.spreads(contexts) * rng.standard_normal(means.shape)
