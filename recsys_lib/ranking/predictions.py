"""What a ranking model predicts for labelled samples, and how good that is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.evaluation import (
    Interval,
    auc,
    calibration_error,
    log_loss,
    per_user_auc,
    per_user_ndcg,
    resampled_auc,
)
from recsys_lib.features.registry import LABEL
from recsys_lib.schema import USER
from recsys_lib.seeding import DEFAULT_SEED, generator

# Each is a function of labels, users and scores; log_loss is in nats.
METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "auc": lambda labels, users, scores: auc(labels, scores),
    "per_user_auc": lambda labels, users, scores: per_user_auc(users, labels, scores).mean(),
    "per_user_ndcg": lambda labels, users, scores: per_user_ndcg(users, labels, scores).mean(),
    "log_loss": lambda labels, users, scores: log_loss(labels, scores),
    "calibration_error": lambda labels, users, scores: calibration_error(labels, scores),
}


@dataclass(frozen=True)
class Predictions:
    """Predictions for labelled samples, from one training for each seed.

    It can be a row of a :func:`recsys_lib.evaluation.comparison_board`.

    Attributes
    ----------
    labels : array, shape (n,)
        1 for a like, 0 for none.
    user_ids : array, shape (n,)
    scores : float array, shape (n_seeds, n)
        Predicted probabilities of a like.
    validation_auc : float array, shape (n_seeds,)
        Empty for what was not trained.
    n_parameters : int
        Number of trained numbers; 0 where that has no meaning.
    seconds : float
        Duration of a training without validation, that of a model it starts from included, mean
        over seeds.
    epochs : float
        Number of passes until the best weights, mean over seeds.
    samples_per_second : float
        Speed of training, median over seeds.
    """

    labels: np.ndarray
    user_ids: np.ndarray
    scores: np.ndarray
    validation_auc: np.ndarray = field(default_factory=lambda: np.empty(0))
    n_parameters: int = 0
    seconds: float = float("nan")
    epochs: float = float("nan")
    samples_per_second: float = float("nan")

    @classmethod
    def of(cls, samples: pd.DataFrame, scores: np.ndarray, **facts: Any) -> "Predictions":
        """Return the predictions for a table of samples.

        Parameters
        ----------
        samples : DataFrame
            With ``user_id`` and ``label``.
        scores : array, shape (n,) or (n_seeds, n)
        facts
            The further attributes, where they are known.
        """
        scores = np.atleast_2d(scores)
        if scores.shape[1:] != (len(samples),):
            raise RecsysError(f"{scores.shape[1]} scores do not fit {len(samples)} samples.")
        return cls(samples[LABEL].to_numpy(), samples[USER].to_numpy(), scores, **facts)

    def where(self, mask: np.ndarray) -> "Predictions":
        """Return the predictions for some of the samples: bool, (n,)."""
        return replace(
            self,
            labels=self.labels[mask],
            user_ids=self.user_ids[mask],
            scores=self.scores[:, mask],
        )

    def by_seed(self, metric: str) -> np.ndarray:
        """Return a metric for each seed: float64, (n_seeds,).

        Raises
        ------
        RecsysError
            There is no such metric in :data:`METRICS`.
        """
        if metric not in METRICS:
            raise RecsysError(
                f"There is no metric {metric!r}.{nearest(metric, METRICS)} "
                f"Metrics: {', '.join(METRICS)}."
            )
        measure = METRICS[metric]
        return np.array([measure(self.labels, self.user_ids, each) for each in self.scores])

    def mean(self, metric: str) -> float:
        """Return a metric, averaged over seeds."""
        return float(self.by_seed(metric).mean())

    def interval(self, metric: str = "auc") -> Interval:
        """Return the AUC with its 95 % interval over resampled users and seeds."""
        _check_auc(metric)
        return _interval(self.mean(metric), self._resampled_auc("seeds"))

    def difference(self, other: "Predictions", metric: str = "auc") -> Interval:
        """Return this AUC less the other's, on the same resamples of users.

        Raises
        ------
        RecsysError
            The other predictions are for other samples.
        """
        _check_auc(metric)
        if not np.array_equal(self.user_ids, other.user_ids) or not np.array_equal(
            self.labels, other.labels
        ):
            raise RecsysError("Only predictions for the same samples can be compared.")
        gaps = self._resampled_auc("first") - other._resampled_auc("second")
        return _interval(self.mean(metric) - other.mean(metric), gaps)

    def _resampled_auc(self, draw: str) -> np.ndarray:
        """Return the AUC over resampled users, each a mean over resampled seeds: (n_resamples,)."""
        aucs = np.stack([resampled_auc(self.labels, each, self.user_ids) for each in self.scores])
        n_seeds, n_resamples = aucs.shape
        rng = generator(DEFAULT_SEED, "leaderboard", draw)
        drawn = rng.integers(n_seeds, size=(n_resamples, n_seeds))
        return aucs[drawn.T, np.arange(n_resamples)].mean(axis=0)


def _interval(middle: float, resamples: np.ndarray) -> Interval:
    low, high = np.nanquantile(resamples, [0.025, 0.975])
    return Interval(middle, float(low), float(high))


def _check_auc(metric: str) -> None:
    if metric != "auc":
        raise RecsysError(f"Predictions have an interval for 'auc' only, not for {metric!r}.")
