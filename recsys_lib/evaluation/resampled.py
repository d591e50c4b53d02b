"""How sure an AUC is: all models are measured on the same resamples of users."""

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation.classification import auc
from recsys_lib.evaluation.intervals import resamples
from recsys_lib.seeding import DEFAULT_SEED, generator


def resampled_auc(
    labels, scores, user_ids, n_resamples: int = 200, seed: int = DEFAULT_SEED
) -> np.ndarray:
    """Return the AUC of each bootstrap resample of users (Efron, 1979).

    The rows of one user are not independent evidence, so whole users are drawn, with all their
    rows. The draws depend on nothing but the seed and the users, so subtracting the results of
    two models gives the resamples of their difference.

    Parameters
    ----------
    labels, scores, user_ids : arrays, shape (n,)
        Labels 0 or 1.
    n_resamples : int
    seed : int

    Returns
    -------
    float64 array, shape (n_resamples,)
        NaN for a resample whose users have only one class.

    Raises
    ------
    RecsysError
        As for :func:`recsys_lib.evaluation.auc`.
    """
    auc(labels, scores)  # raises where there is no AUC
    if len(user_ids) != len(labels):
        raise RecsysError(f"{len(user_ids)} user ids for {len(labels)} labels.")
    users, row_user = np.unique(user_ids, return_inverse=True)
    order = np.argsort(scores, kind="stable")
    likes = np.asarray(labels, dtype=np.float64)[order]
    ordered = np.asarray(scores)[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # equal scores together
    rng = generator(seed, "resampled_auc")
    found = []
    for drawn in resamples(len(users), n_resamples, rng, n_rows=len(order)):
        weights = drawn[:, row_user[order]].astype(np.float64)  # (some resamples, n)
        of_likes = np.add.reduceat(weights * likes, starts, axis=1)
        of_dislikes = np.add.reduceat(weights * (1 - likes), starts, axis=1)
        below = np.cumsum(of_dislikes, axis=1) - of_dislikes / 2  # ties count half
        pairs = of_likes.sum(axis=1) * of_dislikes.sum(axis=1)
        with np.errstate(invalid="ignore"):
            found.append((of_likes * below).sum(axis=1) / pairs)
    return np.concatenate(found)
