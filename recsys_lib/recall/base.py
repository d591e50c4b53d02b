"""The one contract of everything that recommends items to users."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.interactions import Interactions
from recsys_lib.data.matrix import InteractionMatrix, index_of
from recsys_lib.errors import RecsysError
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import Lists, top_k
from recsys_lib.recall.vocabulary import Vocabulary, canonical, id_list
from recsys_lib.schema import ITEM, USER

ROWS_AT_ONCE = 2_048  # bounds the dense score matrix


class Recaller(ABC):
    """Something that learns from interactions and returns the best unseen items of each user.

    The constructor of a subclass only stores keyword hyper-parameters; what is learned ends in an
    underscore. :meth:`recommend` and :meth:`similar_items` speak the person's ids and give tables.
    :meth:`lists` and :meth:`similar_lists` are the fast form underneath: arrays, in which users
    and items are the whole numbers of :attr:`vocabulary_` (the ids themselves where these are
    whole numbers).

    Attributes
    ----------
    name : str
        The channel named in the answers.
    scores_histories : bool
        Whether the mathematics can score a history that :meth:`fit` has not seen.
    has_similar_items : bool
        Whether there is a notion of items like an item.
    matrix_ : InteractionMatrix or None
        What :meth:`fit` has seen; None before it.
    vocabulary_ : Vocabulary
        The person's ids and their whole numbers.
    """

    name: str = ""
    scores_histories: bool = True
    has_similar_items: bool = False
    matrix_: InteractionMatrix | None = None
    vocabulary_: Vocabulary = Vocabulary()

    # By name of the class: what load_recaller can read.
    classes: ClassVar[dict[str, type["Recaller"]]] = {}

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        Recaller.classes[cls.__name__] = cls

    def __repr__(self) -> str:
        kinds = bool | int | float | str | None
        plain = {n: v for n, v in self.parameters.items() if isinstance(v, kinds)}
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in plain.items())})"

    @property
    def parameters(self) -> dict[str, Any]:
        """The hyper-parameters by name, as the constructor takes them."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def fit(self, interactions: pd.DataFrame | Interactions) -> Self:
        """Learn from interactions.

        Parameters
        ----------
        interactions : DataFrame or Interactions
            A table with the columns of :data:`recsys_lib.schema.INTERACTIONS`, whose ids are whole
            numbers, or :class:`recsys_lib.data.Interactions`, whose ids may be of any kind.

        Raises
        ------
        DataError
            There are no rows, or the table is neither of the two.
        """
        events, vocabulary = canonical(interactions)
        self.learn(Histories(events, InteractionMatrix.from_frame(events)), vocabulary)
        return self

    @abstractmethod
    def learn(self, seen: Histories, vocabulary: Vocabulary) -> None:
        """Learn from events whose ids are whole numbers; set ``matrix_`` and ``vocabulary_``."""

    @abstractmethod
    def lists(
        self,
        users,
        k: int = 10,
        histories: pd.DataFrame | Mapping | Histories | None = None,
        exclude: pd.DataFrame | None = None,
    ) -> Lists:
        """Return the ``k`` best items of each user as arrays; see :meth:`recommend`.

        All ids, also those of ``histories`` and ``exclude``, are the whole numbers inside. A user
        of whom nothing is known gets a row of padding.
        """

    def similar_lists(self, items, k: int = 10) -> Lists:
        """Return the ``k`` items most like each item as arrays; see :meth:`similar_items`."""
        raise RecsysError(
            f"{type(self).__name__} has no notion of similar items: its scores do not compare "
            "items with each other. Ask a recaller whose has_similar_items is True."
        )

    def recommend(
        self,
        users,
        k: int = 10,
        histories: pd.DataFrame | Mapping | None = None,
        exclude: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Return the ``k`` best items of each user, best first.

        Items of the user's history are never returned. Equal scores are ordered by a hash of the
        item's id.

        Parameters
        ----------
        users : sequence of ids, or one id
        k : int
            Items a user, at least 1; fewer where the recaller finds fewer.
        histories : DataFrame or mapping, optional
            Events of users, new or known: a table with ``user_id`` and ``item_id`` (without
            ``rating`` each event is a like, without ``timestamp`` the rows are in order of time),
            or a mapping from a user to liked items, the oldest first. A user with an entry is
            scored from that history in place of what :meth:`fit` has seen.
        exclude : DataFrame, optional
            Pairs (``user_id``, ``item_id``) not to return, besides the user's history.

        Returns
        -------
        DataFrame
            Columns ``user_id``, ``item_id``, ``score`` (float32), ``rank`` (from 1) and
            ``channel``, users in the order asked. A user of whom nothing is known has no rows.

        Raises
        ------
        RecsysError
            Before :meth:`fit`, where ``k`` is less than 1, or where the recaller cannot score
            histories.
        """
        self._check_request(k, histories)
        users, words = id_list(users), self.vocabulary_
        codes = words.user_codes(users)
        if histories is not None:
            histories = Histories.of(histories, self.matrix_.item_ids, words, codes)
        exclude = None if exclude is None else words.encode(exclude)
        return self._outside(self.lists(codes, k, histories, exclude), users, USER, ITEM)

    def similar_items(self, items, k: int = 10) -> pd.DataFrame:
        """Return the ``k`` items most like each item, best first.

        Parameters
        ----------
        items : sequence of ids, or one id
        k : int

        Returns
        -------
        DataFrame
            Columns ``item_id``, ``similar_item_id``, ``score``, ``rank`` (from 1) and
            ``channel``. An unknown item has no rows.

        Raises
        ------
        RecsysError
            The recaller has no notion of similar items.
        """
        items = id_list(items)
        found = self.similar_lists(self.vocabulary_.item_codes(items), k)
        return self._outside(found, items, ITEM, "similar_item_id")

    def seen_items(self, user) -> np.ndarray:
        """Return the items that a user had in what :meth:`fit` saw, in order of their ids."""
        self._check_request()
        row = self.matrix_.users_of(self.vocabulary_.user_codes([user]))[0]
        columns = self.matrix_.ratings[[row]].indices if row >= 0 else np.empty(0, np.int64)
        return self.vocabulary_.raw_items(self.matrix_.item_ids[np.sort(columns)])

    def encode(self, interactions: pd.DataFrame | Interactions) -> pd.DataFrame:
        """Return interactions with the whole numbers that stand for their ids in this recaller.

        Users and items that it does not know get negative numbers of their own.
        """
        if isinstance(interactions, Interactions):
            interactions = interactions.to_frame()
        return self.vocabulary_.encode(interactions)

    def share(self, matrix: InteractionMatrix) -> None:
        """Hold an equal matrix in place of the own one, so that a merge keeps only one."""
        self.matrix_ = matrix

    def save(self, folder: Path) -> None:
        """Write the fitted recaller to a folder of its own, atomically.

        The folder holds JSON, arrays (``.npy``) and tables (Parquet), no code.

        Raises
        ------
        RecsysError
            Before :meth:`fit`, where a part cannot be saved, or where the folder holds something
            that is no recaller.
        """
        from recsys_lib.recall.storage import save_recaller

        save_recaller(self, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a recaller of this class; see :func:`recsys_lib.recall.load_recaller`."""
        from recsys_lib.recall.storage import load_recaller

        loaded = load_recaller(folder)
        if not isinstance(loaded, cls):
            raise RecsysError(
                f"{folder} holds a recaller of the class {type(loaded).__name__}, "
                f"not {cls.__name__}."
            )
        return loaded

    def _save_parts(self, folder: Path) -> None:  # noqa: B027 (few classes have such parts)
        """Write what has a form of its own on disk."""

    @classmethod
    def _restore(cls, folder: Path, parameters: dict[str, Any], users) -> Self:
        """Return the unfitted recaller; see :meth:`_save_parts` and ``load_recaller``."""
        return cls(**parameters)

    def _check_request(self, k: int = 1, histories=None) -> None:
        if self.matrix_ is None:
            raise RecsysError(f"{type(self).__name__} answers only after fit().")
        if k < 1:
            raise RecsysError(f"k must be at least 1, not {k}.")
        if histories is not None and not self.scores_histories:
            raise RecsysError(
                f"{type(self).__name__} cannot score histories: its answers are only for the users "
                "that fit() has seen. Ask without histories, or fit it again."
            )

    def _outside(self, found: Lists, asked: list, key: str, value: str) -> pd.DataFrame:
        """Return lists as a table in the person's ids."""
        frame = found.to_frame()
        row = np.repeat(np.arange(len(found)), found.listed.sum(axis=1))
        frame[USER] = pd.Series(asked, dtype=None if asked else "int64").take(row).to_numpy()
        frame[ITEM] = self.vocabulary_.raw_items(frame[ITEM])
        return frame.set_axis([key, value, *frame.columns[2:]], axis=1)


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
        self._fit(seen.matrix, seen.events)
        self.users_ = self._represent(seen.matrix, seen.events)

    @abstractmethod
    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        """Learn what users share; ``matrix`` holds the same events as ``interactions``."""

    @abstractmethod
    def _represent(self, matrix: InteractionMatrix, interactions: pd.DataFrame):
        """Turn histories into what :meth:`_score` reads, one row a user of ``matrix``.

        Parameters
        ----------
        matrix : InteractionMatrix
            Its columns are those of ``matrix_``; its users may be new.
        interactions : DataFrame
            The same events.

        Returns
        -------
        array or scipy CSR matrix, shape (matrix.n_users, anything)
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
        rows = self.matrix_.users_of(found.user_ids)
        sources = [(self.matrix_, self.users_, rows)]
        if histories is not None:
            given = Histories.of(histories, self.matrix_.item_ids, users=found.user_ids)
            rows_given = given.matrix.users_of(found.user_ids)
            represented = self._represent(given.matrix, given.events)
            rows[rows_given >= 0] = -1
            sources.append((given.matrix, represented, rows_given))
        barred, barred_row = self._barred(found.user_ids, exclude)
        for matrix, representation, rows in sources:
            known = np.flatnonzero(rows >= 0)
            for start in range(0, len(known), ROWS_AT_ONCE):
                some = known[start : start + ROWS_AT_ONCE]
                score = np.array(self._score(representation[rows[some]]), dtype=np.float32)
                for pairs in (matrix.ratings[rows[some]], barred[barred_row[some]]):
                    score[
                        np.repeat(np.arange(len(some)), np.diff(pairs.indptr)), pairs.indices
                    ] = -np.inf
                self._fill(found, some, score)
        return found

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

    def _barred(self, users: np.ndarray, exclude: pd.DataFrame | None):
        """Return pairs to exclude as a matrix (n, n_items), and the row of each user in it."""
        some, row_of_user = np.unique(users, return_inverse=True)
        shape = (len(some), self.matrix_.n_items)
        if exclude is None:
            return sparse.csr_matrix(shape, dtype=np.int8), row_of_user
        row, column = index_of(some, exclude[USER]), self.matrix_.items_of(exclude[ITEM])
        known = (row >= 0) & (column >= 0)
        ones = np.ones(known.sum(), dtype=np.int8)
        pairs = sparse.csr_matrix((ones, (row[known], column[known])), shape=shape)
        return pairs, row_of_user
