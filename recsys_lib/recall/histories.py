"""What users did: the events that recallers learn from, and histories that come with a request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.likes import likes_in_time, likes_of
from recsys_lib.data.matrix import InteractionMatrix, index_of
from recsys_lib.errors import DataError
from recsys_lib.recall.vocabulary import Vocabulary, id_list
from recsys_lib.schema import IMPLICIT_RATING, ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER


@dataclass(frozen=True)
class Histories:
    """Events of some users with the items of one catalogue, all ids as whole numbers.

    Attributes
    ----------
    events : DataFrame
        Columns of :data:`recsys_lib.schema.INTERACTIONS`.
    matrix : InteractionMatrix
        The same events; a user whose events are all of unknown items has an empty row.
    """

    events: pd.DataFrame
    matrix: InteractionMatrix
    # A request is read by many channels: what they have in common is worked out for the first.
    _made: dict[tuple, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        given: "pd.DataFrame | Mapping | Histories",
        catalogue: np.ndarray,
        vocabulary: Vocabulary | None = None,
        users: np.ndarray | None = None,
    ) -> "Histories":
        """Understand histories as a caller gives them.

        Parameters
        ----------
        given : DataFrame, mapping or Histories
            Events with the columns ``user_id`` and ``item_id``; without ``rating`` each is a
            like, without ``timestamp`` the rows are in order of time. Or, by user, the ids of
            liked items, the oldest first. Histories over the same catalogue stay as they are.
        catalogue : int64 array, sorted
            The items that count; others are ignored.
        vocabulary : Vocabulary, optional
            What the ids stand for; by default whole numbers.
        users : int64 array, optional
            The users whose events are wanted, as whole numbers; by default all.
        """
        if isinstance(given, Histories):
            if given.covers(catalogue):
                return given
            kept = given.events[index_of(catalogue, given.events[ITEM]) >= 0]
            of_whom = given.matrix.user_ids
            return cls(kept, InteractionMatrix.from_frame(kept, of_whom, catalogue))
        table = given if isinstance(given, pd.DataFrame) else _table_of(given)
        events = (vocabulary or Vocabulary()).encode(table)
        if isinstance(given, Mapping):  # a user may have an empty history
            of_whom = (vocabulary or Vocabulary()).user_codes(list(given))
        else:
            of_whom = events[USER].to_numpy(np.int64)
        of_whom = np.unique(of_whom if users is None else of_whom[np.isin(of_whom, users)])
        if RATING not in events:
            events = events.assign(**{RATING: IMPLICIT_RATING})
        if TIMESTAMP not in events:
            events = events.assign(**{TIMESTAMP: np.arange(len(events))})
        events = events[[USER, ITEM, RATING, TIMESTAMP]].astype({RATING: np.float32})
        for name in (RATING, TIMESTAMP):
            if events[name].isna().any():
                raise DataError(f"The histories have no {name!r} in some rows: fill or drop them.")
        wanted = index_of(of_whom, events[USER]) >= 0
        events = events[wanted & (index_of(catalogue, events[ITEM]) >= 0)]
        return cls(events, InteractionMatrix.from_frame(events, of_whom, catalogue))

    def likes(self, min_rating: float | None = LIKE_THRESHOLD) -> sparse.csr_matrix:
        """Return the likes as ones, not to be written to; see :func:`likes_of`."""
        return self._once("likes", min_rating, lambda: likes_of(self.matrix, min_rating))

    def likes_in_time(self, min_rating: float | None = LIKE_THRESHOLD) -> pd.DataFrame:
        """Return the likes in order, not to be written to; see :func:`likes_in_time`."""
        return self._once("in time", min_rating, lambda: likes_in_time(self.events, min_rating))

    def _once(self, what: str, min_rating: float | None, make: Callable[[], Any]) -> Any:
        if (what, min_rating) not in self._made:
            self._made[what, min_rating] = make()
        return self._made[what, min_rating]

    def covers(self, catalogue: np.ndarray) -> bool:
        """Say whether the columns of the matrix are these items."""
        mine = self.matrix.item_ids
        return mine is catalogue or np.array_equal(mine, catalogue)

    def of_user(self, user: int) -> "Histories | None":
        """Return the history of one user, or None where none was given."""
        row = self.matrix.users_of([user])
        if row[0] < 0:
            return None
        if self.matrix.n_users == 1:
            return self
        matrix = InteractionMatrix(
            self.matrix.user_ids[row], self.matrix.item_ids, self.matrix.ratings[row]
        )
        return Histories(self.events[self.events[USER] == user], matrix)


def _table_of(given: Mapping[object, Iterable]) -> pd.DataFrame:
    if not isinstance(given, Mapping):
        raise DataError(
            "histories are a table of events or a mapping from a user to item ids, "
            f"not {type(given).__name__}."
        )
    lists = [id_list(items) for items in given.values()]
    users = [user for user, items in zip(given, lists, strict=True) for _ in items]
    items = [item for items in lists for item in items]
    return pd.DataFrame(
        {
            USER: pd.Series(users, dtype=None if users else "int64"),
            ITEM: pd.Series(items, dtype=None if items else "int64"),
        }
    )
