"""Ties between users on one machine; what a tie is, see :func:`recsys_lib.features.user_ties`."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from recsys_lib.features.declarations import STRONG_TIE, TIE_NEIGHBOURS
from recsys_lib.features.tie_break import tie_break
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER

_PAIRS_AT_ONCE = 20_000_000  # half a gigabyte


def user_ties(interactions: pl.DataFrame, neighbours: int = TIE_NEIGHBOURS) -> pl.DataFrame:
    """Return the pairs of users with a liked film in common."""
    return pl.concat(_ties(interactions, neighbours))


def _ties(interactions: pl.DataFrame, neighbours: int) -> Iterator[pl.DataFrame]:
    """Yield the ties, each in the piece of its lesser user."""
    likes = interactions.select(USER, ITEM, TIMESTAMP, RATING).filter(
        pl.col(RATING) >= LIKE_THRESHOLD
    )
    order = pl.Series(tie_break(likes[USER].to_numpy(), likes[ITEM].to_numpy()))
    likes = likes.with_columns(tie=order).sort([ITEM, TIMESTAMP, "tie"]).drop(RATING, "tie")
    n_pieces = len(likes) * neighbours // _PAIRS_AT_ONCE + 1
    for piece in range(n_pieces):
        meetings = []
        for distance in range(1, neighbours + 1):
            same_item = pl.col(ITEM) == pl.col(ITEM).shift(distance)
            user, other = pl.col(USER), pl.col(USER).shift(distance)
            met = likes.select(
                least=pl.when(same_item & (user != other)).then(pl.min_horizontal(user, other)),
                other_id=pl.max_horizontal(user, other),
                moment=TIMESTAMP,
            )
            meetings.append(met.filter(pl.col("least") % n_pieces == piece))
        moments = pl.col("moment").sort()
        yield (
            pl.concat(meetings)
            .group_by(pl.col("least").alias(USER), "other_id")
            .agg(
                films=pl.len().cast(pl.Int32),
                weak_since=pl.col("moment").min(),
                strong_since=moments.get(STRONG_TIE - 1, null_on_oob=True),
            )
        )


def formed_ties(rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return how many ties were formed by each of the rows, as ``weak_ties``, ``strong_ties``.

    A tie is formed in some second, perhaps by the other user. It is given to the user's last row
    at or before that second: later seconds of the user know of it, that second does not.

    Parameters
    ----------
    rows : polars.DataFrame
        All events in order of user and time, with ``user_id`` and ``timestamp``.
    events : polars.DataFrame
        The same events in any order, as :func:`user_ties` takes them.
    """
    user_ids, codes = np.unique(rows[USER].to_numpy(), return_inverse=True)
    times = rows[TIMESTAMP].to_numpy()
    start = times.min(initial=0)
    span = times.max(initial=0) - start + 1
    keys = codes * span + (times - start)  # rises along the rows
    formed = {"weak_ties": np.zeros(len(rows), np.int64), "strong_ties": np.zeros(len(rows), int)}
    for ties in _ties(events, TIE_NEIGHBOURS):
        for name, since in (("weak_ties", "weak_since"), ("strong_ties", "strong_since")):
            there = ties.filter(pl.col(since).is_not_null())
            for who in (USER, "other_id"):
                code = np.searchsorted(user_ids, there[who].to_numpy())
                moment = code * span + (there[since].to_numpy() - start)
                row = np.searchsorted(keys, moment, side="right") - 1
                formed[name] += np.bincount(row, minlength=len(rows))
    return pl.DataFrame(formed)
