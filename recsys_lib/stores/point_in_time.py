"""Which row of a history was known at a moment, for many (key, moment) pairs at once.

A row carries two times: when its values hold, and when it was *created*. A row that was created
late says something of the past that nobody knew then; a training sample that uses it has seen
the future.
"""

import numpy as np


def latest_known(
    keys: np.ndarray,
    timestamps: np.ndarray,
    created: np.ndarray,
    asked_keys: np.ndarray,
    asked_at: np.ndarray,
) -> np.ndarray:
    """Return for each pair the row that was the newest of those known at that moment.

    Known at ``t`` are the rows whose time and whose time of creation are both at most ``t``. The
    newest of them is the one of latest time; of equal ones the one created last; of equal ones
    still the one further down.

    Parameters
    ----------
    keys : int64 array, shape (n,)
    timestamps, created : float64 arrays, shape (n,)
        In s since 1970, in any order.
    asked_keys, asked_at : arrays, shape (m,)

    Returns
    -------
    int64 array, shape (m,)
        Row numbers; -1 where nothing was known. One for each pair, in the order of the pairs.
    """
    keys, timestamps, created, asked_keys, asked_at = map(
        np.asarray, (keys, timestamps, created, asked_keys, asked_at)
    )
    n = len(keys)
    if n == 0:
        return np.full(len(asked_keys), -1, np.int64)
    newest_last = np.lexsort((np.arange(n), created, timestamps))
    rank = np.empty(n, np.int64)  # the higher, the newer
    rank[newest_last] = np.arange(n)
    # Walk through a key's rows in the order in which they became known, and remember the newest.
    known_since = np.maximum(timestamps, created)
    walk = np.lexsort((rank, known_since, keys))
    key_ids, group = np.unique(keys[walk], return_inverse=True)
    newest = np.maximum.accumulate(group * n + rank[walk]) - group * n
    # Then each pair is found by one binary search, by key and moment as one whole number.
    moments, code = np.unique(np.concatenate([known_since[walk], asked_at]), return_inverse=True)
    asked_group = np.searchsorted(key_ids, asked_keys).clip(max=len(key_ids) - 1)
    place = np.searchsorted(
        group * len(moments) + code[:n], asked_group * len(moments) + code[n:], side="right"
    )
    place -= 1
    known = (place >= 0) & (group[place] == asked_group) & (key_ids[asked_group] == asked_keys)
    return np.where(known, newest_last[newest[place]], -1)
