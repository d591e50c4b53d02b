"""What a user liked: the last items, and the favourite genres, after each of the user's likes.

All likes stand in one table, user by user in order of time. So what a user liked before a moment
needs one number: how far into the table the user had come. The last likes are the rows before that
place, and the favourites after each like are computed once and read there.
"""

import numpy as np
import polars as pl

from recsys_lib.features.declarations import (
    FAVOURITES,
    LABEL,
    LAST_LIKES,
    N_LIKED_ITEMS,
    N_USER_GENRES,
)
from recsys_lib.features.registry import checked_genres
from recsys_lib.schema import ITEM, USER

_LIKES_AT_ONCE = 1 << 14  # counters of 20 genres for so many likes stay in a processor's cache


class Likes:
    """The likes of all users.

    Parameters
    ----------
    rows : polars.DataFrame
        Events in order of user and time, with ``user_id``, ``item_id`` and ``label`` (bool).
    items : polars.DataFrame or None
        ``item_id`` and ``genres``, one row an item, where favourites are asked for.

    Attributes
    ----------
    reached_ : polars.DataFrame, shape (n, 2)
        After each of the rows: ``likes_in_table``, how many likes stand in the table so far, and
        ``likes_of_user``, how many of them are the user's.
    """

    def __init__(self, rows: pl.DataFrame, items: pl.DataFrame | None):
        label = pl.col(LABEL).cast(pl.UInt32)
        self.reached_ = rows.select(
            likes_in_table=label.cum_sum(), likes_of_user=label.cum_sum().over(USER)
        )
        liked = rows.filter(LABEL)
        self._items = liked[ITEM]
        self._genres = self._favourites = None
        if items is not None:
            genres, of_items = _genres_of(items)
            known = items.select(ITEM).with_row_index("row")
            row = liked.select(ITEM).join(known, on=ITEM, how="left", maintain_order="left")["row"]
            row = row.fill_null(len(items)).to_numpy()
            self._genres = pl.Series([*genres, None], dtype=pl.String)
            self._favourites = favourites(liked[USER].to_numpy(), row, of_items)

    def lists(self, state: pl.DataFrame) -> pl.DataFrame:
        """Return the lists by element: ``user_last_likes_1`` and so on.

        ``state`` has the columns of ``reached_``, null where a user has no event yet.
        """
        until, n_likes = pl.col("likes_in_table"), pl.col("likes_of_user")
        places = state.select(
            pl.when(n_likes >= k).then(until - k).alias(str(k)) for k in range(1, N_LIKED_ITEMS + 1)
        )
        elements = {
            f"{LAST_LIKES}_{k}": self._items.gather(places[str(k)])
            for k in range(1, N_LIKED_ITEMS + 1)
        }
        if self._favourites is not None:
            for k, codes in enumerate(self._favourites, start=1):
                codes = pl.Series(codes).gather(places["1"])
                elements[f"{FAVOURITES}_{k}"] = self._genres.gather(codes)
        return pl.DataFrame(elements)


def _genres_of(items: pl.DataFrame) -> tuple[list[str], np.ndarray]:
    """Return the genres, and whether an item has them: bool (n_genres, n_items + 1).

    The last column, without a genre, is for items that are not in the table.
    """
    listed = items.select(genre="genres").with_row_index("item").explode("genre").drop_nulls()
    genres = checked_genres(listed["genre"].unique())
    has = np.zeros((len(genres), len(items) + 1), bool)
    code = listed["genre"].cast(pl.Enum(genres)).to_physical()
    has[code.to_numpy(), listed["item"].to_numpy()] = True
    return genres, has


def favourites(
    user_ids: np.ndarray, item_rows: np.ndarray, genres_of_items: np.ndarray
) -> np.ndarray:
    """Return the user's genres with most likes after each like, most first, equal ones by name.

    Parameters
    ----------
    user_ids : numpy.ndarray of int64, shape (n_likes,)
        Whose like it is, the likes of a user together and in order of time.
    item_rows : numpy.ndarray of int, shape (n_likes,)
        What was liked: a column of ``genres_of_items``.
    genres_of_items : numpy.ndarray of bool, shape (n_genres, n_items)

    Returns
    -------
    numpy.ndarray of uint8, shape (N_USER_GENRES, n_likes)
        Row of ``genres_of_items``; ``n_genres`` where the user has liked no further genre.
    """
    n_genres, n_likes = len(genres_of_items), len(user_ids)
    best = np.full((N_USER_GENRES, n_likes), n_genres, np.uint8)
    if not n_genres:
        return best
    carried = np.zeros(n_genres, np.int64)  # counts of the user whom the end of a block divides
    for first in range(0, n_likes, _LIKES_AT_ONCE):
        block = slice(first, first + _LIKES_AT_ONCE)
        users = user_ids[block]
        counts = genres_of_items[:, item_rows[block]].astype(np.int64)  # (n_genres, n_block)
        if first and users[0] == user_ids[first - 1]:
            counts[:, 0] += carried
        np.cumsum(counts, axis=1, out=counts)
        starts = np.flatnonzero(users[1:] != users[:-1]) + 1
        if len(starts):  # take off what the users before them had
            lengths = np.diff(starts, append=len(users))
            counts[:, starts[0] :] -= np.repeat(counts[:, starts - 1], lengths, axis=1)
        carried = counts[:, -1].copy()
        # Count and place in the alphabet as one number, which is negative once there is a like: the
        # least one is the favourite.
        keys = np.arange(n_genres)[:, None] - counts * n_genres
        for place in range(min(N_USER_GENRES, n_genres)):
            least = keys.min(axis=0)
            genre = least % n_genres
            best[place, block] = np.where(least < 0, genre, n_genres)
            keys[genre, np.arange(len(users))] = 0
    return best
