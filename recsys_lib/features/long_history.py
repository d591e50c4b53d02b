"""Histories longer than the registry's last five likes, as a column of lists."""

import numpy as np
import pandas as pd

from recsys_lib.features.registry import LABEL
from recsys_lib.features.tie_break import tie_break
from recsys_lib.schema import ITEM, TIMESTAMP, USER


def liked_before(events: pd.DataFrame, length: int) -> pd.Series:
    """Return what each event's user had liked before the event's second, the latest like first.

    The first five are the registry's ``user_liked_item_1`` to ``user_liked_item_5``.

    Parameters
    ----------
    events : DataFrame
        All events, with ``user_id``, ``item_id``, ``timestamp`` and ``label``, such as the training
        samples of all parts: an event only sees those before it.
    length : int
        Most items of a list, 1 or more.

    Returns
    -------
    Series of int64 arrays, shape (at most length,) each
        With the index of ``events``.
    """
    user, item = (events[column].to_numpy(np.int64) for column in (USER, ITEM))
    time = events[TIMESTAMP].to_numpy()
    order = np.lexsort((tie_break(user, item), time, user))
    user, item, time = user[order], item[order], time[order]
    liked = events[LABEL].to_numpy(bool)[order]
    likes_before = np.cumsum(liked) - liked  # of all users, in this order
    first_of_user = np.searchsorted(user, user)
    is_first = np.r_[True, (user[1:] != user[:-1]) | (time[1:] != time[:-1])][: len(user)]
    first_of_second = np.maximum.accumulate(np.where(is_first, np.arange(len(user)), 0))
    until = likes_before[first_of_second]
    start = np.maximum(likes_before[first_of_user], until - length)
    newest_last = item[liked]
    lists = np.empty(len(user), object)
    for row, (a, b) in enumerate(zip(start, until, strict=True)):
        lists[order[row]] = newest_last[a:b][::-1]
    return pd.Series(lists, index=events.index, name="user_liked_items")
