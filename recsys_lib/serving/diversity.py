"""The last step of a list: not ten times the same (Carbonell and Goldstein, 1998)."""

import numpy as np

from recsys_lib.errors import RecsysError


def maximal_marginal_relevance(
    scores: np.ndarray, vectors: np.ndarray, k: int, diversity: float
) -> np.ndarray:
    """Pick items one by one: good ones that are unlike those picked before.

    The next item is the one of highest ``(1 - diversity) * relevance - diversity * (highest cosine
    to a picked item)``. Relevance is the score as a share of the candidates' range, so that both
    terms reach from 0 to 1 (for vectors without negative entries).

    Parameters
    ----------
    scores : float array, shape (n,)
    vectors : float array, shape (n, dim)
        What makes items alike: genres as ones and zeros, or an embedding. A vector of zeros is
        like nothing.
    k : int
        Items to pick, at most n.
    diversity : float
        In [0, 1]; 0 keeps the order of the scores.

    Returns
    -------
    int64 array, shape (min(k, n),)
        Places of the picked items in ``scores``, in the order of picking; of equals, the first.
    """
    if not 0 <= diversity <= 1:
        raise RecsysError(f"diversity must lie in [0, 1], not {diversity}.")
    scores = np.asarray(scores, dtype=np.float64)
    span = np.ptp(scores) if len(scores) else 0
    relevance = (scores - scores.min()) / span if span > 0 else np.ones(len(scores))
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(length > 0, length, 1)  # (n, dim)
    likeness = np.zeros(len(scores))  # to the most similar item picked so far
    left = np.ones(len(scores), dtype=bool)
    picked = np.empty(min(k, len(scores)), dtype=np.int64)
    for place in range(len(picked)):
        value = (1 - diversity) * relevance - diversity * likeness
        best = int(np.argmax(np.where(left, value, -np.inf)))
        picked[place], left[best] = best, False
        cosine = unit @ unit[best]
        likeness = cosine if place == 0 else np.maximum(likeness, cosine)
    return picked
