"""Off-policy evaluation (离线策略评估): what a policy would have earned, from another one's log.

The log must know with what probability it chose each action (the propensity). Estimators differ in
what they trust: the propensities (``ipw``), a model of the rewards (``dm``), or either (``dr``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.errors import RecsysError, nearest


@dataclass(frozen=True)
class Logged:
    """What a policy did.

    Attributes
    ----------
    actions : int array, shape (n,)
        From 0.
    rewards : float array, shape (n,)
    propensities : float array, shape (n,)
        With what probability each action was chosen.
    """

    actions: np.ndarray
    rewards: np.ndarray
    propensities: np.ndarray

    def __post_init__(self):
        p = np.asarray(self.propensities)
        if not (len(self.actions) == len(self.rewards) == len(p) > 0):
            raise RecsysError(
                f"A log needs one reward and one propensity an action; it has {len(self.actions)} "
                f"actions, {len(self.rewards)} rewards, {len(p)} propensities."
            )
        if not ((p > 0) & (p <= 1)).all():
            raise RecsysError(
                f"Propensities must be above 0 and at most 1; they go from {p.min()} to {p.max()}."
            )


@dataclass(frozen=True)
class _Rounds:
    """What all estimators start from; arrays of shape (n,)."""

    rewards: np.ndarray
    weights: np.ndarray  # probability of the logged action: new policy by old
    chances: np.ndarray  # of the logged action under the new policy
    predicted: np.ndarray | None  # the model's reward of the logged action
    expected: np.ndarray | None  # the model's reward of the new policy


# Each estimator returns an array whose mean is the estimate, and whose spread is that of the
# estimate: ratios are linearised (the delta method).


def _replay(rounds: _Rounds) -> np.ndarray:
    return rounds.rewards[rounds.chances == 1]


def _ipw(rounds: _Rounds) -> np.ndarray:
    return rounds.weights * rounds.rewards


def _snipw(rounds: _Rounds) -> np.ndarray:
    mean = rounds.weights.mean()
    value = (rounds.weights * rounds.rewards).mean() / mean
    return value + rounds.weights * (rounds.rewards - value) / mean


def _dm(rounds: _Rounds) -> np.ndarray:
    return rounds.expected


def _dr(rounds: _Rounds) -> np.ndarray:
    return rounds.expected + rounds.weights * (rounds.rewards - rounds.predicted)


def _sndr(rounds: _Rounds) -> np.ndarray:
    mean = rounds.weights.mean()
    residual = rounds.rewards - rounds.predicted
    correction = (rounds.weights * residual).mean() / mean
    return rounds.expected + correction + rounds.weights * (residual - correction) / mean


def _switch(rounds: _Rounds, largest_weight: float = 10.0) -> np.ndarray:
    trusted = rounds.weights <= largest_weight
    return rounds.expected + trusted * rounds.weights * (rounds.rewards - rounds.predicted)


def _dros(rounds: _Rounds, shrinkage: float = 100.0) -> np.ndarray:
    shrunk = shrinkage * rounds.weights / (rounds.weights**2 + shrinkage)
    return rounds.expected + shrunk * (rounds.rewards - rounds.predicted)


ESTIMATORS: dict[str, Callable[..., np.ndarray]] = {
    "replay": _replay,
    "ipw": _ipw,
    "snipw": _snipw,
    "dm": _dm,
    "dr": _dr,
    "sndr": _sndr,
    "switch": _switch,
    "dros": _dros,
}
WITH_MODEL = ("dm", "dr", "sndr", "switch", "dros")


def off_policy_value(
    logged: Logged,
    target,
    model=None,
    *,
    estimators: Iterable[str] | None = None,
    largest_weight: float = 10.0,
    shrinkage: float = 100.0,
) -> pd.DataFrame:
    """Estimate the mean reward of a policy.

    Parameters
    ----------
    logged : Logged
    target : array, shape (n, actions)
        With what probability the policy would choose each action in each round.
    model : array, shape (n, actions), optional
        Predicted reward of each action in each round, fitted on other rounds.
    estimators : iterable of str, optional
        By default all that there are data for:

        ========== ============================================================================
        ``replay`` mean of the rounds in which a deterministic policy agrees with the log;
                   unbiased only if the log chose uniformly (Li and others, 2011)
        ``ipw``    inverse propensity weighting (Horvitz and Thompson, 1952)
        ``snipw``  self-normalised: a little bias, less spread (Swaminathan and Joachims, 2015)
        ``dm``     direct method: the model alone
        ``dr``     doubly robust: right if model or propensities are (Dudík and others, 2011)
        ``sndr``   self-normalised doubly robust
        ``switch`` the model alone where the weight exceeds ``largest_weight`` (Wang, 2017)
        ``dros``   weights shrunk towards 0 by ``shrinkage`` (Su and others, 2020)
        ========== ============================================================================
    largest_weight, shrinkage : float
        Of ``switch`` and ``dros``.

    Returns
    -------
    DataFrame
        Indexed by estimator: ``value``, ``low`` and ``high`` (95 %, normal), ``rounds`` used. The
        interval knows of chance in the log, not of a wrong model or of wrong propensities.
    """
    target = np.asarray(target, dtype=np.float64)
    rounds = _rounds(logged, target, model)
    deterministic = bool((target.max(axis=1) == 1).all())
    if estimators is None:
        estimators = [
            name
            for name in ESTIMATORS
            if (model is not None or name not in WITH_MODEL) and (deterministic or name != "replay")
        ]
    settings = {
        "switch": {"largest_weight": largest_weight},
        "dros": {"shrinkage": shrinkage},
    }
    rows = {}
    for name in estimators:
        if name not in ESTIMATORS:
            raise RecsysError(
                f"There is no estimator {name!r}.{nearest(name, ESTIMATORS)} "
                f"Known: {', '.join(ESTIMATORS)}."
            )
        if name in WITH_MODEL and model is None:
            raise RecsysError(f"Estimator {name!r} needs a model of the rewards.")
        if name == "replay" and not deterministic:
            raise RecsysError("Replay needs a policy that is sure of one action in each round.")
        with np.errstate(invalid="ignore"):  # NaN where no weight is above 0
            values = ESTIMATORS[name](rounds, **settings.get(name, {}))
        mean = values.mean() if len(values) else np.nan
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
        rows[name] = {
            "value": mean,
            "low": mean - 1.96 * error,
            "high": mean + 1.96 * error,
            "rounds": len(values),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def effective_sample_size(logged: Logged, target) -> float:
    """Return how many rounds of the policy's own the weighted log is worth (Kish, 1965).

    ``sum(w) ** 2 / sum(w ** 2)``: n for the logging policy itself, near 1 where a single round
    outweighs the rest.
    """
    weights = _rounds(logged, np.asarray(target, dtype=np.float64), None).weights
    squares = (weights**2).sum()
    return float(weights.sum() ** 2 / squares) if squares else 0.0


def _rounds(logged: Logged, target: np.ndarray, model) -> _Rounds:
    actions = np.asarray(logged.actions)
    if target.ndim != 2 or len(target) != len(actions):
        raise RecsysError(f"Chances of shape {target.shape} do not fit {len(actions)} rounds.")
    if actions.min() < 0 or actions.max() >= target.shape[1]:
        raise RecsysError(
            f"The log has actions {actions.min()} to {actions.max()}, the policy chooses among 0 "
            f"to {target.shape[1] - 1}."
        )
    if (target < 0).any() or not np.allclose(target.sum(axis=1), 1):
        raise RecsysError("The chances of a round must be 0 or more and add up to 1.")
    rows = np.arange(len(actions))
    chances = target[rows, actions]
    predicted = expected = None
    if model is not None:
        model = np.asarray(model, dtype=np.float64)
        if model.shape != target.shape:
            raise RecsysError(f"The model has shape {model.shape}, the chances {target.shape}.")
        predicted, expected = model[rows, actions], (target * model).sum(axis=1)
    return _Rounds(
        np.asarray(logged.rewards, dtype=np.float64),
        chances / np.asarray(logged.propensities, dtype=np.float64),
        chances,
        predicted,
        expected,
    )
