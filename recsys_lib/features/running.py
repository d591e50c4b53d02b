"""User features kept up to date event by event, equal to the batch's to the last bit (S24).

A mean can't be continued from its rounded value, so a row carries its state along: sums of ratings
and years, and a counter for each genre. Sums of half stars and of whole years are exact in double
precision, so it does not matter whether a batch or a stream added them up.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from recsys_lib.features.declarations import N_LIKED_ITEMS, N_USER_GENRES, YEAR_ORIGIN
from recsys_lib.features.tie_break import tie_break
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER

SUMS, GENRE_LIKES = "state_sums", "state_genre_likes"
# What the sums are of; the ratings' number is the feature user_rating_count.
RATING_SUM, RATING_SQUARES, YEAR_COUNT, YEAR_SUM, YEAR_SQUARES = range(5)
LIKED = [f"user_liked_item_{k + 1}" for k in range(N_LIKED_ITEMS)]


class RunningUserFeatures:
    """The reference system's user features, after any number of events.

    Parameters
    ----------
    items : DataFrame
        ``item_id``, ``release_year`` and ``genres``, one row an item. An event of another item
        counts without year and genres.
    """

    def __init__(self, items: pd.DataFrame):
        self.genres = sorted({genre for genres in items["genres"] for genre in genres})
        place = {genre: at for at, genre in enumerate(self.genres)}
        years = items["release_year"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        self._about = {
            item: (year, [place[genre] for genre in set(genres)])
            for item, year, genres in zip(items[ITEM], years, items["genres"], strict=True)
        }

    @property
    def types(self) -> dict[str, str]:
        """Types of the columns of state, for a feature store's ``types``."""
        return {SUMS: "float64[5]", GENRE_LIKES: f"int32[{len(self.genres)}]"}

    def fold(self, rows: Iterable[Mapping], events: Iterable[Mapping]) -> list[dict]:
        """Return rows of features and state, changed by events in their order.

        Parameters
        ----------
        rows : iterable of mappings
            As this function returned them; of a new user ``user_id`` alone is enough.
        events : iterable of mappings
            ``user_id``, ``item_id`` and ``rating``, each of one of the rows' users. Those of one
            second come in the order of :func:`recsys_lib.features.tie_break.tie_break`.
        """
        users = {row[USER]: self._opened(row) for row in rows}
        for event in events:
            self._count(users[event[USER]], event)
        return [self._features(row) for row in users.values()]

    def rows(self, interactions: pd.DataFrame) -> list[dict]:
        """Return the row of every user of a history, as :meth:`fold` has it after its events."""
        ordered = in_order(interactions)
        users: Sequence[int] = ordered[USER].unique().tolist()
        return self.fold(({USER: user} for user in users), ordered.to_dict("records"))

    def _opened(self, row: Mapping) -> dict:
        return {
            USER: row[USER],
            "user_rating_count": row.get("user_rating_count", 0),
            SUMS: np.array(row.get(SUMS, np.zeros(5))),
            GENRE_LIKES: np.array(row.get(GENRE_LIKES, np.zeros(len(self.genres), np.int32))),
            "liked": [row[name] for name in LIKED if name in row],
        }

    def _count(self, row: dict, event: Mapping) -> None:
        item_id, rating = event[ITEM], event[RATING]
        year, genres = self._about.get(item_id, (math.nan, []))
        row["user_rating_count"] += 1
        sums = row[SUMS]
        sums[RATING_SUM] += rating
        sums[RATING_SQUARES] += rating * rating
        if not math.isnan(year):
            since = year - YEAR_ORIGIN
            sums[YEAR_COUNT] += 1
            sums[YEAR_SUM] += since
            sums[YEAR_SQUARES] += since * since
        if rating >= LIKE_THRESHOLD:
            row["liked"] = [item_id, *row["liked"][: N_LIKED_ITEMS - 1]]
            row[GENRE_LIKES][genres] += 1

    def _features(self, row: dict) -> dict:
        n, sums, liked = row["user_rating_count"], row[SUMS], row.pop("liked")
        row |= dict(zip(LIKED, liked, strict=False))
        row |= _moments("user_rating", n, sums[RATING_SUM], sums[RATING_SQUARES], 0)
        years = sums[YEAR_COUNT], sums[YEAR_SUM], sums[YEAR_SQUARES]
        row |= _moments("user_release_year", *years, YEAR_ORIGIN)
        counts = row[GENRE_LIKES]
        favourites = np.argsort(-counts, kind="stable")[:N_USER_GENRES]  # equal ones by name
        for k, place in enumerate(favourites, start=1):
            if counts[place]:
                row[f"user_genre_{k}"] = self.genres[place]
        return row


def in_order(interactions: pd.DataFrame) -> pd.DataFrame:
    """Return events by time; those of one second in the order that all features take."""
    tie = tie_break(interactions[USER].to_numpy(), interactions[ITEM].to_numpy())
    return interactions.iloc[np.lexsort((tie, interactions[TIMESTAMP].to_numpy()))]


def _moments(name: str, n: float, total: float, squares: float, origin: int) -> dict[str, float]:
    """Return mean and sample standard deviation, by the registry's formulas."""
    found = {}
    if n > 0:
        found[f"{name}_mean"] = origin + total / n
    if n > 1:
        found[f"{name}_stddev"] = math.sqrt(max(squares - total * total / n, 0) / (n - 1))
    return found
