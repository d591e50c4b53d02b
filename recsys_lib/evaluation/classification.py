"""How good predicted probabilities of a like are."""

import numpy as np
from scipy.stats import rankdata

from recsys_lib.errors import RecsysError


def _checked(labels, scores) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise RecsysError(f"Labels {labels.shape} and scores {scores.shape} differ in shape.")
    if not np.isfinite(scores).all():
        raise RecsysError(f"{(~np.isfinite(scores)).sum()} of {len(scores)} scores are not finite.")
    return labels, scores


def auc(labels, scores) -> float:
    """Return the area under the ROC curve: how often a like outscores a dislike, ties count half.

    Raises
    ------
    RecsysError
        The labels hold one class only, or a score is not finite.
    """
    labels, scores = _checked(labels, scores)
    n_likes = int(labels.sum())
    n_dislikes = len(labels) - n_likes
    if not n_likes or not n_dislikes:
        raise RecsysError(f"AUC needs both classes; got {n_likes} likes, {n_dislikes} dislikes.")
    rank_sum = rankdata(scores)[labels].sum()
    return float((rank_sum - n_likes * (n_likes + 1) / 2) / (n_likes * n_dislikes))


def per_user_auc(user_ids, labels, scores) -> np.ndarray:
    """Return the AUC within each user who has both classes, in order of user id."""
    labels, scores = _checked(labels, scores)
    order = np.argsort(np.asarray(user_ids), kind="stable")
    bounds = np.flatnonzero(np.diff(np.asarray(user_ids)[order])) + 1
    users = zip(np.split(labels[order], bounds), np.split(scores[order], bounds), strict=True)
    return np.array([auc(one, score) for one, score in users if one.any() and not one.all()])


def log_loss(labels, probabilities) -> float:
    """Return the mean negative log-likelihood in nats; probabilities are kept 1e-7 off 0 and 1."""
    labels, probabilities = _checked(labels, probabilities)
    p = probabilities.clip(1e-7, 1 - 1e-7)
    return float(-np.where(labels, np.log(p), np.log1p(-p)).mean())
