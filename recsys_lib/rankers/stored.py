"""Scores made offline and only looked up (S17): no model at the request, and no context either."""

from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import index_of
from recsys_lib.errors import DataError
from recsys_lib.rankers.base import Candidates, Ranker, UnknownUser
from recsys_lib.schema import ITEM, USER

SCORES = "scores.parquet"


class StoredScores(Protocol):
    """What the scores of one user are read from: a store of lists, or a table in memory."""

    def read(self, user_id: int) -> dict | None:
        """Return ``item_ids`` and ``scores``, arrays of one length, or None."""


class ScoreTable:
    """Scores in memory, read as from a store.

    Parameters
    ----------
    scores : DataFrame
        ``user_id``, ``item_id``, ``score``; a pair stands once.
    """

    def __init__(self, scores: pd.DataFrame):
        self.frame = scores[[USER, ITEM, "score"]].sort_values([USER, ITEM], ignore_index=True)
        if self.frame.duplicated([USER, ITEM]).any():
            raise DataError("A pair of user and item has more than one stored score.")
        users = self.frame[USER].to_numpy(np.int64)
        self._users, starts = np.unique(users, return_index=True)
        self._ends = np.append(starts, len(users))
        self._items = self.frame[ITEM].to_numpy(np.int64)
        self._scores = self.frame["score"].to_numpy(np.float32)

    def read(self, user_id: int) -> dict | None:
        """Return the items and scores of a user, or None."""
        place = index_of(self._users, [user_id])[0]
        if place < 0:
            return None
        rows = slice(self._ends[place], self._ends[place + 1])
        return {"item_ids": self._items[rows], "scores": self._scores[rows]}


class StoredRanker(Ranker):
    """Looks scores up.

    Parameters
    ----------
    scores : StoredScores
        A feature store of lists, or a :class:`ScoreTable`.
    missing : float
        Score of a candidate that has none stored.
    gives_probabilities : bool
        Whether the scores are chances of a like.
    """

    def __init__(
        self, scores: StoredScores, *, missing: float = 0.0, gives_probabilities: bool = True
    ):
        self.scores = scores
        self.missing = missing
        self.gives_probabilities = gives_probabilities

    def score(self, candidates: Candidates) -> np.ndarray:
        """Return the stored scores: float32, (n,).

        Raises
        ------
        UnknownUser
            There are no scores of the user.
        """
        stored = self.scores.read(candidates.user_id)
        if stored is None:
            raise UnknownUser("There are no stored scores of", candidates.user_id)
        item_ids, scores = np.asarray(stored["item_ids"], np.int64), np.asarray(stored["scores"])
        order = np.argsort(item_ids)
        rows = index_of(item_ids[order], candidates.item_ids)
        found = np.full(len(candidates), self.missing, np.float32)
        found[rows >= 0] = scores[order[rows[rows >= 0]]]
        return found

    def _save(self, folder: Path) -> dict:
        inside = isinstance(self.scores, ScoreTable)
        if inside:
            self.scores.frame.to_parquet(folder / SCORES, index=False)
        return {
            "scores": "inside" if inside else "outside",
            "missing": self.missing,
            "gives_probabilities": self.gives_probabilities,
        }

    @classmethod
    def _load(cls, folder, described, users) -> Self:
        if described["scores"] == "inside":
            users = ScoreTable(pd.read_parquet(folder / SCORES))
        if users is None:
            raise DataError(f"The scores are not in {folder}: give what reads them, users=store.")
        return cls(
            users,
            missing=described["missing"],
            gives_probabilities=described["gives_probabilities"],
        )
