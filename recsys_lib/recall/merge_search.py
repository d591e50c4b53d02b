"""The search for a merge: one channel joins at a time, with the weight that helps most."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

# Merge weights by channel -> what that merge is worth to each user of a validation part.
Metric = Callable[[Mapping[str, float]], np.ndarray]


def grow_merge(
    weights: Mapping[str, float],
    joining: Iterable[tuple[str, float]],
    metric: Metric,
    helps: Callable[[np.ndarray], bool],
) -> dict[str, float]:
    """Grow a merge until nothing that could join it helps any more.

    A full search over all sets of channels and weights would choose among so many that the best
    one owes its place to luck; this greedy one tries a few dozen.

    Parameters
    ----------
    weights : mapping of str to float
        The channels to start from, the best single one for instance.
    joining : iterable of (str, float)
        Channels and weights that are tried; of those that help equally, the first joins. A
        channel joins once.
    metric : function
        Given merge weights, returns what the merge is worth to each user: float, (n_users,).
    helps : function
        Given the gain of each user, says whether the best addition is worth it.

    Returns
    -------
    dict of str to float
        Channels in the order in which they joined.
    """
    weights, joining = dict(weights), list(joining)
    now = metric(weights)
    while True:
        open_ = [(name, weight) for name, weight in joining if name not in weights]
        if not open_:
            return weights
        tried = [metric({**weights, name: weight}) for name, weight in open_]
        best = int(np.argmax([(values - now).mean() for values in tried]))
        if not helps(tried[best] - now):
            return weights
        weights, now = {**weights, open_[best][0]: open_[best][1]}, tried[best]
