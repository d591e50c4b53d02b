"""Interactions of a person's own: their table and their ids outside, the canonical form inside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.data.ids import Ids, codes_of, raw_of
from recsys_lib.data.reading import (
    OURS,
    InteractionReader,
    Meaning,
    interaction_columns,
    read_all,
)
from recsys_lib.data.rejects import nothing_left
from recsys_lib.data.tables import FrameTable, Table, TextForm, open_table
from recsys_lib.errors import DataError
from recsys_lib.schema import ITEM, USER


@dataclass(frozen=True)
class Interactions:
    """Who had to do with what, how much they liked it, and when.

    Attributes
    ----------
    frame : DataFrame
        The canonical table: ``user_id`` and ``item_id`` int64, ``rating`` float32 in stars,
        ``timestamp`` int64 in Unix seconds, in order of time, user and item. No user, item and
        second comes twice.
    user_ids, item_ids : Ids or None
        What the numbers in the frame stand for; None where the ids are whole numbers from 0 to
        2**63 - 1, which stand for themselves.
    columns : dict of str to str
        What was given: the person's name of a column, by ours (``user_id``, ``item_id`` and, where
        there are such, ``rating`` and ``timestamp``).
    rejects : DataFrame
        Rows left out: ``file``, ``line`` (``row`` for a DataFrame, from 0), ``column``, ``value``
        and ``reason``.
    notes : tuple of str
        What was assumed and noticed, a sentence each.
    """

    frame: pd.DataFrame
    user_ids: Ids | None
    item_ids: Ids | None
    columns: Mapping[str, str]
    rejects: pd.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(
        cls,
        df: pd.DataFrame,
        user: str | None = None,
        item: str | None = None,
        rating: str | None = None,
        timestamp: str | None = None,
        **meaning,
    ) -> Self:
        """Take in a table of interactions.

        Parameters
        ----------
        df : DataFrame
        user, item : str, optional
            Its columns of ids: whole numbers of any size, text, bytes or UUIDs. None takes
            ``user_id`` and ``item_id``, or what is called like it (``user``, ``userId``).
        rating : str, optional
            Its column of ratings. None takes ``rating``, if there is such a column, and ``""``
            takes none; without ratings every row is a like.
        timestamp : str, optional
            Its column of moments: seconds, milliseconds, microseconds or nanoseconds since 1970,
            or dates. None takes ``timestamp``, if there is such a column, and ``""`` takes none;
            without moments later rows are later.
        **meaning
            Fields of :class:`recsys_lib.data.reading.Meaning`: ``time_unit``, ``time_zone``,
            ``decimal``, ``scale``, ``like``.

        Raises
        ------
        DataError
            A column is missing or ambiguous, an id column mixes kinds of ids, or no row is left.
        """
        named = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
        table = FrameTable(df)
        columns = interaction_columns(table, named, "from_frame:")
        found = cls.from_table(table, columns, Meaning(**meaning))
        rejects = found.rejects.drop(columns="file").rename(columns={"line": "row"})
        object.__setattr__(found, "rejects", rejects)
        return found

    @classmethod
    def from_file(
        cls,
        path: Path,
        user: str | None = None,
        item: str | None = None,
        rating: str | None = None,
        timestamp: str | None = None,
        form: TextForm | None = None,
        **meaning,
    ) -> Self:
        """Read a file: delimited text (also compressed), Parquet, Feather or JSON lines.

        Parameters
        ----------
        path : Path
        user, item, rating, timestamp : str, optional
            Names of its columns, in upper or lower case, or their numbers from 1. None takes the
            column that is called as usual.
        form : TextForm, optional
            Separator, encoding and header of a text file, where they cannot be found out.
        **meaning
            As for :meth:`from_frame`.

        Raises
        ------
        DataError
            As for :meth:`from_frame`, or the file is damaged or not in its encoding.
        """
        named = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
        table = open_table(path, form)
        return cls.from_table(table, interaction_columns(table, named), Meaning(**meaning))

    @classmethod
    def from_table(
        cls,
        table: Table,
        columns: Mapping[str, str],
        meaning: Meaning | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Self:
        """Read an opened table whose columns are found; ``say`` is given each note."""
        reader = InteractionReader.of(table, columns, meaning or Meaning())
        reader.learn()
        for note in reader.notes if say else ():
            say(note)
        frame, aside = read_all(reader)
        rejects = aside.frame()
        if frame.empty:
            raise DataError(nothing_left(table, reader.n_read, rejects))
        user_ids, frame[USER] = _used(reader.users.ids, frame[USER])
        item_ids, frame[ITEM] = _used(reader.items.ids, frame[ITEM])
        ours = {OURS[role]: name for role, name in reader.columns.items()}
        return cls(frame, user_ids, item_ids, ours, rejects, tuple(reader.notes))

    def to_frame(self) -> pd.DataFrame:
        """Return the table with the person's own ids, in order of time."""
        users, items = self.users(self.frame[USER]), self.items(self.frame[ITEM])
        return self.frame.assign(**{USER: users, ITEM: items})

    def user_codes(self, users) -> np.ndarray:
        """Return the numbers that stand for users: int64, shape (n,), -1 for an unknown one."""
        return codes_of(self.user_ids, users)

    def item_codes(self, items) -> np.ndarray:
        """Return the numbers that stand for items: int64, shape (n,), -1 for an unknown one."""
        return codes_of(self.item_ids, items)

    def users(self, codes) -> np.ndarray:
        """Return the person's ids of users by their numbers."""
        return raw_of(self.user_ids, codes)

    def items(self, codes) -> np.ndarray:
        """Return the person's ids of items by their numbers."""
        return raw_of(self.item_ids, codes)


def _used(ids: Ids | None, codes: pd.Series) -> tuple[Ids | None, np.ndarray]:
    """Leave ids out of the vocabulary whose rows were all set aside."""
    if ids is None:
        return None, codes.to_numpy()
    used, places = np.unique(codes.to_numpy(), return_inverse=True)
    return Ids(ids.kind, ids.values[used]), places.astype(np.int64)
