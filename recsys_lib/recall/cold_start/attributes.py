"""What is known of a user before the first event: registration attributes and context (S23)."""

import logging
from abc import abstractmethod
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import InteractionMatrix, index_of
from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.base import Channel
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import Lists
from recsys_lib.schema import LIKE_THRESHOLD, TIMESTAMP, USER

logger = logging.getLogger(__name__)

COLUMNS = ("age_band", "gender", "occupation", "hour_band")
AGE_BANDS = (0, 18, 25, 35, 45, 50, 56)  # lower ends in years, as in MovieLens 1M
HOUR_BANDS = (0, 6, 12, 18)  # lower ends, in hours UTC
UNKNOWN = ""  # the value of an attribute that a user has not given


def user_attributes(
    users: pd.DataFrame | None, interactions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return what a service knows of users when they arrive, as text in bands.

    Parameters
    ----------
    users : DataFrame, optional
        The users' table: ``user_id`` and any of ``age`` (years), ``gender`` and ``occupation``.
    interactions : DataFrame, optional
        Their events: the hour (UTC) of a user's first one is the hour of registration.

    Returns
    -------
    DataFrame
        ``user_id`` and, of :data:`COLUMNS`, those that the tables give: ``age_band``, ``gender``,
        ``occupation``, ``hour_band``. What is missing is the empty text.
    """
    frame = pd.DataFrame({USER: []}) if users is None else users[[USER]].copy()
    for name in ("gender", "occupation") if users is not None else ():
        if name in users:
            frame[name] = users[name].astype("string").fillna(UNKNOWN).astype(object)
    if users is not None and "age" in users:
        frame["age_band"] = _bands(users["age"], AGE_BANDS)
    if interactions is not None and TIMESTAMP in interactions:
        first = interactions.groupby(USER)[TIMESTAMP].min()
        if users is None:
            frame = pd.DataFrame({USER: first.index})
        frame["hour_band"] = _bands(frame[USER].map(first) % 86_400 // 3_600, HOUR_BANDS)
    return frame[[USER, *(name for name in COLUMNS if name in frame)]]


def _bands(values: pd.Series, lower_ends: tuple[int, ...]) -> list[str]:
    """Return the band of each value as text, such as ``25-34``, the last one as ``56+``."""
    names = [f"{low}-{high - 1}" for low, high in pairwise(lower_ends)] + [f"{lower_ends[-1]}+"]
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    place = np.searchsorted(lower_ends, np.nan_to_num(numbers), side="right") - 1
    known = ~np.isnan(numbers) & (place >= 0)
    return [names[p] if ok else UNKNOWN for p, ok in zip(place, known, strict=True)]


class ReadsUsers(Channel):
    """A channel that answers by who a user is, not by what the user did.

    It answers for each user of its table, seen in :meth:`fit` or not, and after
    :meth:`register` for those who came later. A user without attributes whose events are known
    (fitted, or given as a history) gets what everybody gets; a stranger without either gets
    nothing, like in any recaller.

    Parameters
    ----------
    users : DataFrame, optional
        ``user_id`` and columns of text, as :func:`user_attributes` returns. Without it, or
        without any of ``columns``, all users are served alike; the log says so.
    columns : sequence of str
        The columns that are read, the most telling first. What the table lacks is left out.
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.

    Attributes
    ----------
    columns_ : list of str
        The columns that are there.
    registered_ : int64 array, sorted
        The users with attributes, by the whole numbers inside.
    values_ : DataFrame
        Their attributes, in that order.
    """

    users: pd.DataFrame | None
    columns: tuple[str, ...]
    min_rating: float | None

    def __init__(
        self,
        users: pd.DataFrame | None = None,
        *,
        columns: tuple[str, ...] = COLUMNS,
        min_rating: float | None = LIKE_THRESHOLD,
    ):
        self.users = users
        self.columns = columns
        self.min_rating = min_rating

    @abstractmethod
    def _learn(self, values: pd.DataFrame, likes) -> None:
        """Learn from users' attributes, (n_users, len(columns_)), and likes (n_users, n_items)."""

    @abstractmethod
    def _of_values(self, values: pd.DataFrame) -> np.ndarray:
        """Turn attributes of any users into what :meth:`_score` reads."""

    def register(self, users: pd.DataFrame) -> None:
        """Take in users who have come since, or whose attributes have changed.

        Nothing is learned from them: their lists come from what :meth:`fit` has learned.

        Parameters
        ----------
        users : DataFrame
            As the one given to the constructor.

        Raises
        ------
        RecsysError
            Before :meth:`fit`, or where the table lacks a column that was learned from.
        """
        self._check_request()
        missing = [name for name in (USER, *self.columns_) if name not in users]
        if missing:
            raise RecsysError(
                f"The users' table has no column {missing[0]!r}, which was learned from. Its "
                f"columns: {', '.join(map(repr, users.columns))}. Leave single values empty "
                "where they are unknown, but keep the column."
            )
        fresh = users[[USER, *self.columns_]]
        if self.users is not None:
            known = self.users[[USER, *self.columns_]]
            fresh = pd.concat([known[~known[USER].isin(fresh[USER])], fresh], ignore_index=True)
        self.users = fresh
        self._index_users()

    def lists(self, users, k=10, histories=None, exclude=None) -> Lists:
        self._check_request(k, histories)
        users = np.asarray(users, np.int64)
        given = Histories.of(
            {} if histories is None else histories, self.matrix_.item_ids, users=users
        )
        # A user who has registered and done nothing yet has an empty history.
        of_given = np.isin(users, given.matrix.user_ids) | (self.matrix_.users_of(users) >= 0)
        newly = users[~of_given & (index_of(self.registered_, users) >= 0)]
        if len(newly):
            of_whom = np.union1d(given.matrix.user_ids, newly)
            matrix = InteractionMatrix.from_frame(given.events, of_whom, self.matrix_.item_ids)
            given = Histories(given.events, matrix)
        return super().lists(users, k, given, exclude)

    def _fit(self, seen: Histories) -> None:
        there = [] if self.users is None else list(self.users.columns)
        self.columns_ = [name for name in self.columns if name in there]
        missing = [name for name in self.columns if name not in there]
        if missing:
            logger.warning(
                "%s is fitted without %s, which the users' table lacks%s.",
                type(self).__name__,
                ", ".join(missing),
                "" if self.columns_ else ": everybody gets what is popular",
            )
        self._index_users()
        self._learn(self._attributes_of(seen.matrix.user_ids), seen.likes(self.min_rating))

    def _represent(self, given: Histories) -> np.ndarray:
        return self._of_values(self._attributes_of(given.matrix.user_ids))

    def _index_users(self) -> None:
        if self.users is None or not self.columns_:
            self.registered_ = np.empty(0, np.int64)
            self.values_ = pd.DataFrame({name: [] for name in self.columns_}, dtype=object)
            return
        codes = self.vocabulary_.user_codes(self.users[USER])
        # Of a user who comes twice the row further down counts.
        last = pd.Series(np.arange(len(codes))).groupby(codes).last()
        self.registered_ = last.index.to_numpy(np.int64)
        values = self.users[self.columns_].iloc[last.to_numpy()]
        self.values_ = values.astype(object).fillna(UNKNOWN).astype(str).reset_index(drop=True)

    def _attributes_of(self, user_ids: np.ndarray) -> pd.DataFrame:
        """Return the attributes of users, the empty text where nothing is known."""
        row = index_of(self.registered_, user_ids)
        return self.values_.reindex(np.where(row >= 0, row, -1), fill_value=UNKNOWN).reset_index(
            drop=True
        )

    @property
    def parameters(self) -> dict[str, Any]:
        kept = super().parameters
        if self.users is None:
            return kept
        names = [name for name in (USER, *self.columns) if name in self.users]
        return kept | {"users": self.users[names]}  # only what is read is worth saving


def shrunk(sums: np.ndarray, n: float, towards: np.ndarray, prior_users: float) -> np.ndarray:
    """Return the share of likers of each item among few users, pulled towards another share.

    ``(sums + prior_users * towards) / (n + prior_users)``: the mean of the beta distribution that
    an audience of ``prior_users`` like the larger group and n users of one's own leave.

    Parameters
    ----------
    sums : float array, shape (n_items,)
        Likes by the n users.
    n : float
    towards : float array, shape (n_items,)
        The share among the larger group.
    prior_users : float
    """
    return (sums + prior_users * towards) / max(n + prior_users, 1e-12)
