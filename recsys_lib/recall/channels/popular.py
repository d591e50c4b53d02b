"""Channels that know nothing of the user's taste: popular, recently hot, newest, random."""

import numpy as np
import pandas as pd

from recsys_lib.data.likes import like_counts
from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.base import Channel
from recsys_lib.recall.channels.reads_items import ReadsItems
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, TIMESTAMP
from recsys_lib.seeding import DEFAULT_SEED, key_hash

SECONDS_PER_DAY = 86_400


class SameForAll(Channel):
    """A channel whose scores do not depend on the user.

    Attributes
    ----------
    item_score_ : float32 array, shape (n_items,)
    """

    def _represent(self, given: Histories) -> np.ndarray:
        return np.empty((given.matrix.n_users, 0), np.float32)  # nothing of a user matters

    def _score(self, users: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.item_score_, (len(users), len(self.item_score_)))


class Popular(SameForAll):
    """What most people like (大众口碑好的): score = number of likes.

    Parameters
    ----------
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.
    """

    name = "popular"

    def __init__(self, *, min_rating: float | None = LIKE_THRESHOLD):
        self.min_rating = min_rating

    def _fit(self, seen: Histories) -> None:
        self.item_score_ = like_counts(seen.likes(self.min_rating))


class RecentlyPopular(SameForAll):
    """What is liked these days (近期火热的): a like counts half after each half-life.

    Parameters
    ----------
    half_life_days : float
        Age at which a like has lost half of its weight, counted back from the last event of the
        interactions that :meth:`fit` is given.
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.
    """

    name = "recently_popular"

    def __init__(self, *, half_life_days: float = 30.0, min_rating: float | None = LIKE_THRESHOLD):
        self.half_life_days = half_life_days
        self.min_rating = min_rating

    def _fit(self, seen: Histories) -> None:
        if not self.half_life_days > 0:
            raise RecsysError(f"half_life_days must be positive, not {self.half_life_days}.")
        likes = seen.likes_in_time(self.min_rating)
        now = seen.events[TIMESTAMP].max()
        age_days = (now - likes[TIMESTAMP].to_numpy()) / SECONDS_PER_DAY
        self.item_score_ = np.bincount(
            seen.matrix.items_of(likes[ITEM]),
            weights=0.5 ** (age_days / self.half_life_days),
            minlength=seen.matrix.n_items,
        ).astype(np.float32)


class Newest(SameForAll, ReadsItems):
    """What came out last (新上映的); within a year, what more people like.

    Parameters
    ----------
    items : DataFrame
        Columns ``item_id`` and ``release_year``; items without a year are not recalled.
    """

    name = "newest"
    item_column = "release_year"

    def __init__(self, items: pd.DataFrame):
        self.items = items

    def _fit(self, seen: Histories) -> None:
        likes = like_counts(seen.likes())
        years = self._item_values().set_index(ITEM)[self.item_column].reindex(seen.matrix.item_ids)
        # Likes as a fraction below one order the films of a year and never move one to another.
        self.item_score_ = years.to_numpy(np.float32, na_value=np.nan) + likes / (likes.max() + 1)
        self.item_score_[np.isnan(self.item_score_)] = -np.inf


class RandomRecaller(Channel):
    """Items drawn at random for each user: what any channel must beat.

    Parameters
    ----------
    seed : int
        Scores are a hash of user, item and seed, so that a user's draw depends on nobody else.
    """

    name = "random"

    def __init__(self, *, seed: int = DEFAULT_SEED):
        self.seed = seed

    def _fit(self, seen: Histories) -> None:
        """Nothing to learn: the base class keeps the users and the catalogue."""

    def _represent(self, given: Histories) -> np.ndarray:
        return given.matrix.user_ids

    def _score(self, users: np.ndarray) -> np.ndarray:
        shape = (len(users), self.matrix_.n_items)
        user_ids = np.broadcast_to(users[:, None], shape)
        item_ids = np.broadcast_to(self.matrix_.item_ids, shape)
        drawn = key_hash(user_ids.ravel(), item_ids.ravel(), seed=self.seed)
        return (drawn / 2.0**64).astype(np.float32).reshape(shape)
