"""Three losses of ranked lists, and how steep each is: by candidate, by pair, by list.

All take scores ``f`` and likes ``y`` of a batch of lists, padding marked by ``listed``, and return
the mean loss of a list with its gradient in the scores. A list without a like, or without a
candidate that is not liked, costs nothing in the losses by pair and by list.
"""

from collections.abc import Callable

import numpy as np

Loss = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, np.ndarray]]


def pointwise(f: np.ndarray, liked: np.ndarray, listed: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the logistic loss of each candidate by itself, summed over a list.

    ``log(1 + exp(f)) - y f``. The score is the log-odds of a like, so it has to get the level
    right as well as the order.

    Parameters
    ----------
    f : float array, shape (n, k)
    liked, listed : bool arrays, shape (n, k)

    Returns
    -------
    loss : float
        Mean over lists.
    gradient : float array, shape (n, k)
    """
    cost = np.logaddexp(0, f) - liked * f
    return _mean(cost, listed), (_sigmoid(f) - liked) * listed / len(f)


def pairwise(f: np.ndarray, liked: np.ndarray, listed: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the logistic loss of pairs, a liked candidate against one that is not.

    ``log(1 + exp(f_j - f_i))`` for each liked i and other j of a list, averaged over the pairs of
    the list (RankNet; Burges et al.: Learning to rank using gradient descent, 2005). Only
    differences count.
    """
    row, column = np.nonzero(liked & listed)
    others = listed & ~liked
    n_pairs = others.sum(axis=1) * (liked & listed).sum(axis=1)
    weight = np.divide(1.0, n_pairs, out=np.zeros(len(f)), where=n_pairs > 0)[row, None]
    ahead = (f[row] - f[row, column][:, None]).astype(np.float64)  # (likes, k)
    cost = np.logaddexp(0, ahead) * others[row] * weight
    slope = _sigmoid(ahead) * others[row] * weight
    gradient = np.zeros(f.shape)
    np.add.at(gradient, row, slope)
    np.add.at(gradient, (row, column), -slope.sum(axis=1))
    return float(cost.sum() / len(f)), gradient / len(f)


def listwise(f: np.ndarray, liked: np.ndarray, listed: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the cross-entropy of the softmax over a list against its likes.

    ``- sum over liked i of log softmax(f)_i / number of likes`` (ListNet's top-one case; Cao et
    al.: Learning to rank: from pairwise approach to listwise approach, 2007). A mistake at the
    top of the list weighs most, since the softmax has its mass there.
    """
    shown = np.where(listed, f, -np.inf)
    shown = shown - shown.max(axis=1, keepdims=True)
    log_softmax = shown - np.log(np.exp(shown).sum(axis=1, keepdims=True))
    found = liked & listed
    n_found = found.sum(axis=1, keepdims=True)
    target = np.divide(found, n_found, out=np.zeros(f.shape), where=n_found > 0)
    cost = -target * np.where(found, log_softmax, 0)
    gradient = np.where(n_found > 0, np.exp(log_softmax), 0) - target
    return float(cost.sum() / len(f)), gradient / len(f)


LOSSES: dict[str, Loss] = {"pointwise": pointwise, "pairwise": pairwise, "listwise": listwise}


def _mean(cost: np.ndarray, listed: np.ndarray) -> float:
    return float((cost * listed).sum() / len(cost))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x))
