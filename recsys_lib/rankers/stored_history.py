"""A ranker whose knowledge of the user comes from a feature store, event by event."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from recsys_lib.data.splits import in_time_order
from recsys_lib.errors import DataError
from recsys_lib.rankers.base import Candidates, Ranker, UserFeatures, load_ranker
from recsys_lib.rankers.features import features_of
from recsys_lib.schema import ITEM, RATING, TIMESTAMP, USER

HISTORY = "user_history"  # the column of the store: texts "item stars seconds", the oldest first
STORED_AS = {HISTORY: "strings"}  # what a store has to be told of it


class StoredHistoryRanker(Ranker):
    """Reads the user's events from a store and lets another ranker score by them.

    What the user did a minute ago counts as soon as the store knows it; nothing is fitted anew. A
    history that the request brings itself is taken as it is.

    Parameters
    ----------
    ranker : Ranker
        One that reads :attr:`Candidates.history`, such as a ``ListwiseRanker``.
    users : UserFeatures
        A feature store with the rows of :func:`history_rows`.
    """

    def __init__(self, ranker: Ranker, users: UserFeatures):
        self.ranker = ranker
        self.users = users

    @property
    def gives_probabilities(self) -> bool:
        """As the other ranker."""
        return self.ranker.gives_probabilities

    def score(self, candidates: Candidates):
        """Return the other ranker's scores: float, (n,).

        Raises
        ------
        UnknownUser
            The store has no row of the user.
        StoreUnavailable
            The store does not answer.
        """
        return self.ranker.score(self._with_history(candidates))

    def explain(self, candidates: Candidates):
        """Return what the other ranker says; errors as for :meth:`score`."""
        return self.ranker.explain(self._with_history(candidates))

    def _with_history(self, candidates: Candidates) -> Candidates:
        if candidates.history is None:
            row = features_of(self.users, candidates.user_id)
            events = [text.split() for text in row.get(HISTORY, [])]
            history = pd.DataFrame(events, columns=[ITEM, RATING, TIMESTAMP])
            history = history.astype({ITEM: "int64", RATING: "float32", TIMESTAMP: "int64"})
            history.insert(0, USER, candidates.user_id)
            candidates = replace(candidates, history=history)
        return candidates

    def _save(self, folder: Path) -> dict:
        self.ranker.save(folder / "ranker")
        return {}

    @classmethod
    def _load(cls, folder, described, users):
        if users is None:
            raise DataError(f"The users' histories are not in {folder}: give users=store.")
        return cls(load_ranker(folder / "ranker", users), users)


def history_rows(events: pd.DataFrame, n_last: int = 200) -> pd.DataFrame:
    """Return one row a user for a feature store: ``user_id`` and the last ``n_last`` events."""
    last = in_time_order(events).groupby(USER, sort=True).tail(n_last)
    text = last[ITEM].astype(str) + " " + last[RATING].astype(str) + " "
    text += last[TIMESTAMP].astype(str)
    return text.groupby(last[USER]).agg(list).rename(HISTORY).reset_index()
