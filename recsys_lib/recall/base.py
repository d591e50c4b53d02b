"""The one contract of everything that recommends items to users."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from recsys_lib.data.interactions import Interactions
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.errors import RecsysError
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import Lists
from recsys_lib.recall.vocabulary import Vocabulary, canonical, id_list
from recsys_lib.schema import ITEM, USER


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
        values = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        short = [f"{n}={v!r}" for n, v in values.items() if isinstance(v, str | int | float | None)]
        return f"{type(self).__name__}({', '.join(short)})"

    @property
    def parameters(self) -> dict[str, Any]:
        """The hyper-parameters by name, as the constructor takes them."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def fit(self, interactions: pd.DataFrame | Interactions) -> Self:
        """Learn from interactions.

        Parameters
        ----------
        interactions : DataFrame or Interactions
            A table with ``user_id`` and ``item_id``, ids of any kind. Without ``rating`` each row
            is a like, without ``timestamp`` the rows are in order of time.
            :class:`recsys_lib.data.Interactions` takes tables whose columns have other names.

        Raises
        ------
        DataError
            There are no rows, or a column of ids is missing.
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
            Before :meth:`fit`, where a part cannot be saved, or where the folder holds files that
            the library did not write.
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
