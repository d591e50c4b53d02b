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
    ordered = np.asarray(scores)[order]
    likes = np.asarray(labels)[order] > 0
    # For each like, how many rows have a lower score, and how many no higher one.
    lower, no_higher = (
        np.searchsorted(ordered, ordered[likes], side) for side in ("left", "right")
    )
    # All are counts or halves of them, which single precision holds exactly while there are few
    # rows: somebody is drawn a dozen times at most, so they stay below 2**23.
    exact = np.float32 if len(order) <= 50_000 else np.float64
    rng = generator(seed, "resampled_auc")
    found = []
    for drawn in resamples(len(users), n_resamples, rng, n_rows=len(order)):
        weights = drawn.T.astype(exact, order="C")[row_user[order]]  # (n, some resamples)
        dislikes = np.zeros((len(order) + 1, len(drawn)), exact)  # among the lowest 0, ..., n rows
        np.cumsum(weights * ~likes[:, None], axis=0, out=dislikes[1:])
        of_likes = weights[likes]
        below = (dislikes[lower] + dislikes[no_higher]) / 2  # ties count half
        pairs = of_likes.sum(axis=0, dtype=np.float64) * dislikes[-1]
        with np.errstate(invalid="ignore"):
            found.append((of_likes * below).sum(axis=0, dtype=np.float64) / pairs)
    return np.concatenate(found)
