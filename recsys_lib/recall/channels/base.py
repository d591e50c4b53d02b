"""What recall channels share: the scores of all items, and the best of them."""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.matrix import index_of
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import ROWS_AT_ONCE, Lists, top_k
from recsys_lib.recall.vocabulary import Vocabulary
from recsys_lib.schema import ITEM, USER


class Channel(Recaller):
    """A recaller that scores all items for a user: one recall channel (召回通道).

    A subclass implements :meth:`_fit`, :meth:`_represent` and :meth:`_score`, and
    :meth:`_similar` where its mathematics compares items.

    Attributes
    ----------
    users_ : array or scipy CSR matrix, shape (n_users, anything)
        What :meth:`_represent` makes of each user that :meth:`fit` has seen.
    """

    def learn(self, seen: Histories, vocabulary: Vocabulary) -> None:
        self.matrix_, self.vocabulary_ = seen.matrix, vocabulary
        self._fit(seen)
        self.users_ = self._represent(seen)

    @abstractmethod
    def _fit(self, seen: Histories) -> None:
        """Learn what users share."""

    @abstractmethod
    def _represent(self, given: Histories):
        """Turn histories into what :meth:`_score` reads, one row a user.

        Parameters
        ----------
        given : Histories
            The columns of its matrix are those of ``matrix_``; its users may be new.

        Returns
        -------
        array or scipy CSR matrix, shape (given.matrix.n_users, anything)
        """

    @abstractmethod
    def _score(self, users) -> np.ndarray:
        """Score all items for rows of what :meth:`_represent` gives: float32, (m, n_items).

        Higher is better; ``-inf`` means that the channel does not recall the item.
        """

    def _similar(self, columns: np.ndarray) -> np.ndarray:
        """Return how like all items are to those of some columns: float, (m, n_items).

        ``-inf`` means not at all; what stands for the item itself does not matter.
        """
        raise NotImplementedError

    def lists(self, users, k=10, histories=None, exclude=None) -> Lists:
        self._check_request(k, histories)
        found = Lists.empty(users, k, [self.name])
        for rows, score in self._scored(found.user_ids, histories, exclude):
            self._fill(found, rows, score)
        return found

    def scores(self, users, histories=None) -> np.ndarray:
        """Return the score of every item for each user: what lists are made of.

        Parameters
        ----------
        users, histories
            As for :meth:`lists`, ids being whole numbers.

        Returns
        -------
        float32 array, shape (n_users, n_items)
            Columns are those of ``matrix_``; ``-inf`` where the user has had the item or the
            channel does not recall it.
        """
        self._check_request(histories=histories)
        users = np.asarray(users, dtype=np.int64)
        found = np.full((len(users), self.matrix_.n_items), -np.inf, np.float32)
        for rows, score in self._scored(users, histories, None):
            found[rows] = score
        return found

    def _scored(self, users: np.ndarray, histories, exclude) -> Iterator[tuple]:
        """Yield some rows of ``users`` at a time, and their scores of all items, (m, n_items)."""
        rows = self.matrix_.users_of(users)
        sources = [(self.matrix_, self.users_, rows)]
        if histories is not None:
            given = Histories.of(histories, self.matrix_.item_ids, users=users)
            rows_given = given.matrix.users_of(users)
            represented = self._represent(given)
            rows[rows_given >= 0] = -1
            sources.append((given.matrix, represented, rows_given))
        barred = None if exclude is None else self._barred(users, exclude)
        for matrix, representation, rows in sources:
            known = np.flatnonzero(rows >= 0)
            for start in range(0, len(known), ROWS_AT_ONCE):
                some = known[start : start + ROWS_AT_ONCE]
                picked = _rows(representation, rows[some])
                score = np.array(self._score(picked), dtype=np.float32)
                _bar(score, _rows(matrix.ratings, rows[some]))
                if barred is not None:
                    _bar(score, _rows(barred[0], barred[1][some]))
                yield some, score

    def similar_lists(self, items, k=10) -> Lists:
        self._check_request(k)
        if not self.has_similar_items:
            return super().similar_lists(items, k)
        found = Lists.empty(items, k, [self.name])
        columns = self.matrix_.items_of(found.user_ids)
        known = np.flatnonzero(columns >= 0)
        for start in range(0, len(known), ROWS_AT_ONCE):
            some = known[start : start + ROWS_AT_ONCE]
            score = np.array(self._similar(columns[some]), dtype=np.float32)  # (m, n_items)
            score[np.arange(len(some)), columns[some]] = -np.inf
            self._fill(found, some, score)
        return found

    def _fill(self, found: Lists, rows: np.ndarray, score: np.ndarray) -> None:
        """Write the best items of scores, (m, n_items), to some rows of lists."""
        k = found.item_ids.shape[1]
        found.item_ids[rows], found.scores[rows] = top_k(score, self.matrix_.item_ids, k)
        found.channel_index[rows] = np.where(found.listed[rows], 0, -1)

    def _barred(self, users: np.ndarray, exclude: pd.DataFrame):
        """Return pairs to exclude as a matrix (n, n_items), and the row of each user in it."""
        some, row_of_user = np.unique(users, return_inverse=True)
        shape = (len(some), self.matrix_.n_items)
        row, column = index_of(some, exclude[USER]), self.matrix_.items_of(exclude[ITEM])
        known = (row >= 0) & (column >= 0)
        ones = np.ones(known.sum(), dtype=np.int8)
        pairs = sparse.csr_matrix((ones, (row[known], column[known])), shape=shape)
        return pairs, row_of_user


def _rows(table, rows: np.ndarray):
    """Return some rows: one, of a request's user, as a slice, many times faster than a list."""
    if len(rows) != 1:
        return table[rows]
    return table if table.shape[0] == 1 else table[rows[0] : rows[0] + 1]


def _bar(score: np.ndarray, pairs: sparse.csr_matrix) -> None:
    """Set the scores of pairs that are not to be returned to ``-inf``."""
    row = np.repeat(np.arange(len(score)), np.diff(pairs.indptr))
    score[row, pairs.indices] = -np.inf
