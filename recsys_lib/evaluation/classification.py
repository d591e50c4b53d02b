"""How good predicted probabilities of a like are."""

import numpy as np

from recsys_lib.errors import RecsysError


def _checked(labels, scores) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise RecsysError(f"Labels {labels.shape} and scores {scores.shape} differ in shape.")
    if not np.isfinite(scores).all():
        raise RecsysError(f"{(~np.isfinite(scores)).sum()} of {len(scores)} scores are not finite.")
    return labels, scores


def auc(labels, scores) -> float:
    """Return the area under the ROC curve: how often a like outscores a dislike.

    A tie counts half.

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
    # The rank of each different score, from 1: equal scores share the mean of their places.
    _, place, n_equal = np.unique(scores, return_inverse=True, return_counts=True)
    rank_sum = (np.cumsum(n_equal) - (n_equal - 1) / 2)[place][labels].sum()
    return float((rank_sum - n_likes * (n_likes + 1) / 2) / (n_likes * n_dislikes))


def per_user_auc(user_ids, labels, scores) -> np.ndarray:
    """Return the AUC of each user who has both classes, in order of user id: float64."""
    labels, scores = _checked(labels, scores)
    order = np.argsort(np.asarray(user_ids), kind="stable")
    bounds = np.flatnonzero(np.diff(np.asarray(user_ids)[order])) + 1
    users = zip(np.split(labels[order], bounds), np.split(scores[order], bounds), strict=True)
    return np.array([auc(one, score) for one, score in users if one.any() and not one.all()])


def log_loss(labels, probabilities) -> float:
    """Return the mean negative log-likelihood in nats.

    Probabilities are clipped to the range from 1e-7 to 1 - 1e-7.
    """
    labels, probabilities = _checked(labels, probabilities)
    p = probabilities.clip(1e-7, 1 - 1e-7)
    return float(-np.where(labels, np.log(p), np.log1p(-p)).mean())


def per_user_ndcg(user_ids, labels, scores) -> np.ndarray:
    """Return the nDCG of each user's own samples, in order of user id: float64.

    A user's samples are ordered by score, and a like has gain 1 (Järvelin and Kekäläinen, 2002).
    Equal scores share the discounts of their places. Users with one class only are left out,
    because every order of their samples is as good as any other.
    """
    labels, scores = _checked(labels, scores)
    users, row_user, sizes = np.unique(user_ids, return_inverse=True, return_counts=True)
    order = np.lexsort((-scores, row_user))
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    place = np.arange(len(order)) - first[row_user[order]]
    discount = 1 / np.log2(place + 2)
    tie = (
        np.cumsum(np.r_[True, (np.diff(scores[order]) != 0) | (np.diff(row_user[order]) != 0)]) - 1
    )  # number of the run of equal scores, user by user
    shared = (np.bincount(tie, discount) / np.bincount(tie))[tie]
    gained = np.bincount(row_user[order], shared * labels[order], len(users))
    likes = np.bincount(row_user, labels, len(users)).astype(np.int64)
    best = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, sizes.max() + 2)))])
    both = (likes > 0) & (likes < sizes)
    return gained[both] / best[likes[both]]


def calibration_error(labels, probabilities, n_bins: int = 10) -> float:
    """Return the mean distance between predicted and observed shares of likes.

    Samples are divided into ``n_bins`` groups of equal size by their prediction, and each group's
    mean prediction is compared with its share of likes (expected calibration error with bins of
    equal mass; Nixon et al., 2019).
    """
    labels, p = _checked(labels, probabilities)
    groups = np.array_split(np.argsort(p, kind="stable"), min(n_bins, len(p)))
    gaps = [len(rows) * abs(p[rows].mean() - labels[rows].mean()) for rows in groups]
    return float(np.sum(gaps) / len(p))
