"""Calibrated scores: what a channel's score is worth, as a chance that the user comes to like it.

Channels score in counts of likes, cosines, regression values or years, so a score of one says
nothing beside a score of another. The share of hits among past candidates of about that score
does: it has the same meaning for all channels.
"""

from dataclasses import dataclass

import numpy as np

from recsys_lib.errors import RecsysError


@dataclass(frozen=True)
class Calibration:
    """Chance of a hit by score, linear between the centres of score bands.

    Attributes
    ----------
    scores : float64 array, shape (n_bands,), increasing
        Mean score of each band.
    rates : float64 array, shape (n_bands,), in [0, 1], never falling
    """

    scores: np.ndarray
    rates: np.ndarray

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Return the chance of a hit: float64, same shape; beyond the bands, that of the last."""
        return np.interp(scores, self.scores, self.rates)


def score_bands(scores: np.ndarray, hits: np.ndarray, n_bands: int = 20) -> tuple[np.ndarray, ...]:
    """Cut candidates into bands of about equal size by score.

    Parameters
    ----------
    scores : float array; padding (``-inf``) is left out
    hits : bool array of the same shape
    n_bands : int
        At most so many; equal scores are never divided.

    Returns
    -------
    mean_score, hit_rate : float64 arrays, shape (n_bands,)
    size : int64 array, shape (n_bands,)
    """
    scores, hits = np.asarray(scores, np.float64).ravel(), np.asarray(hits).ravel()
    listed = np.isfinite(scores)
    scores, hits = scores[listed], hits[listed]
    if not len(scores):
        raise RecsysError("A calibration needs at least one candidate with a score.")
    order = np.argsort(scores, kind="stable")
    scores, hits = scores[order], hits[order]
    starts = np.linspace(0, len(scores), n_bands + 1).astype(int)[:-1]
    starts = np.unique(np.searchsorted(scores, scores[starts]))
    size = np.diff(np.append(starts, len(scores)))
    mean = np.add.reduceat(scores, starts) / size
    return mean, np.add.reduceat(hits.astype(float), starts) / size, size


def calibrate(scores: np.ndarray, hits: np.ndarray, n_bands: int = 20) -> Calibration:
    """Learn a calibration from candidates of which it is known whether they were liked.

    The hit rates of the bands are made monotone by isotonic regression (Zadrozny and Elkan:
    Transforming classifier scores into accurate multiclass probability estimates, 2002).

    Parameters
    ----------
    scores : float array, as a recaller returns them
    hits : bool array of the same shape
    n_bands : int
    """
    from sklearn.isotonic import isotonic_regression  # too slow an import for the serving process

    mean, rate, size = score_bands(scores, hits, n_bands)
    return Calibration(mean, isotonic_regression(rate, sample_weight=size))
