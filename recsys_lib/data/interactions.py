"""Interactions of a person's own: their table and their ids outside, the canonical form inside."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.data.ids import LARGEST_EXACT, Ids, codes_of, id_column, raw_of
from recsys_lib.errors import DataError, nearest
from recsys_lib.schema import IMPLICIT_RATING, ITEM, RATING, TIMESTAMP, USER

ROLES = {"user": USER, "item": ITEM, "rating": RATING, "timestamp": TIMESTAMP}


@dataclass(frozen=True)
class Interactions:
    """Who had to do with what, how much they liked it, and when.

    Attributes
    ----------
    frame : DataFrame
        The canonical table: ``user_id`` and ``item_id`` int64, ``rating`` float32,
        ``timestamp`` int64 in Unix seconds, in order of time, user and item.
    user_ids, item_ids : Ids or None
        What the numbers in the frame stand for; None where the ids are whole numbers from 0 to
        2**63 - 1, which stand for themselves.
    columns : dict of str to str
        What was given: the person's name of a column, by ours (``user_id``, ``item_id`` and, where
        there are such, ``rating`` and ``timestamp``).
    rejects : DataFrame
        Rows left out: ``row`` (0-based), ``column``, ``value`` as text, ``reason``.
    notes : tuple of str
        What was assumed, a sentence each.
    """

    frame: pd.DataFrame
    user_ids: Ids | None
    item_ids: Ids | None
    columns: dict[str, str]
    rejects: pd.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(
        cls,
        df: pd.DataFrame,
        user: str = USER,
        item: str = ITEM,
        rating: str | None = None,
        timestamp: str | None = None,
    ) -> Self:
        """Take in a table of interactions.

        Parameters
        ----------
        df : DataFrame
        user, item : str
            Its columns of ids: whole numbers of any size, text, bytes or UUIDs.
        rating : str, optional
            Its column of ratings. None takes the column ``rating`` where there is one; without
            ratings every row is a like.
        timestamp : str, optional
            Its column of moments: Unix seconds, or dates. None takes the column ``timestamp``
            where there is one; without moments later rows are later.

        Raises
        ------
        DataError
            A column is missing, an id column mixes kinds of ids, or no row is left.
        """
        named = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
        columns, notes = _columns(df, named), []
        user_ids, users, no_user = _coded(df[columns[USER]], columns[USER])
        item_ids, items, no_item = _coded(df[columns[ITEM]], columns[ITEM])
        wrong = {USER: (no_user, "no id"), ITEM: (no_item, "no id")}
        if RATING in columns:
            stars = pd.to_numeric(df[columns[RATING]], errors="coerce").to_numpy(np.float64)
            wrong[RATING] = (~np.isfinite(stars), "no number")
        else:
            stars = np.full(len(df), IMPLICIT_RATING)
            notes.append("There is no column of ratings: every row counts as a like.")
        if TIMESTAMP in columns:
            when, unreadable = _seconds(df[columns[TIMESTAMP]])
            wrong[TIMESTAMP] = (unreadable, "no moment")
        else:
            when = np.arange(len(df))
            notes.append("There is no column of moments: later rows count as later.")
        rejects = _rejects(df, columns, wrong)
        kept = np.ones(len(df), bool)
        kept[rejects["row"].to_numpy()] = False
        if not kept.any():
            raise DataError(_nothing_left(len(df), rejects))
        frame = pd.DataFrame(
            {
                USER: users[kept],
                ITEM: items[kept],
                RATING: stars[kept].astype(np.float32),
                TIMESTAMP: when[kept].astype(np.int64),
            }
        ).sort_values([TIMESTAMP, USER, ITEM], kind="stable", ignore_index=True)
        return cls(frame, user_ids, item_ids, columns, rejects, tuple(notes))

    def to_frame(self) -> pd.DataFrame:
        """Return the table with the person's own ids, in order of time."""
        return self.frame.assign(
            **{
                USER: self.users(self.frame[USER]),
                ITEM: self.items(self.frame[ITEM]),
            }
        )

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


def _columns(df: pd.DataFrame, named: dict[str, str | None]) -> dict[str, str]:
    columns = {}
    for role, ours in ROLES.items():
        name = named[role]
        if name is None:
            if ours not in df.columns:
                continue
            name = ours
        if name not in df.columns:
            raise DataError(
                f"The table has no column {name!r}.{nearest(name, map(str, df.columns))} Its "
                f"columns: {', '.join(map(repr, df.columns))}. Say which one it is: {role}='...'."
            )
        if isinstance(df[name], pd.DataFrame):
            raise DataError(f"The table has {df[name].shape[1]} columns called {name!r}.")
        columns[ours] = name
    return columns


def _coded(raw: pd.Series, name: str) -> tuple[Ids | None, np.ndarray, np.ndarray]:
    """Return the vocabulary, int64 numbers and where there is no id."""
    column = id_column(raw, f"The column {name!r}")
    ids = Ids.of(raw, f"The column {name!r}")
    if ids.are_codes:
        return None, column.values.astype(np.int64), column.missing
    codes = ids.codes_of(raw)
    return ids, codes, codes < 0


def _seconds(raw: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return Unix seconds int64, and where there are none."""
    if not pd.api.types.is_datetime64_any_dtype(raw):
        numbers = pd.to_numeric(raw, errors="coerce")
        if numbers.notna().any():
            seconds = numbers.to_numpy(np.float64)
            fine = np.isfinite(seconds) & (np.abs(seconds) < LARGEST_EXACT) & (seconds >= 0)
            return np.floor(np.where(fine, seconds, 0)).astype(np.int64), ~fine
        raw = pd.to_datetime(raw, errors="coerce", utc=True, format="ISO8601")
    if raw.dt.tz is not None:
        raw = raw.dt.tz_convert("UTC").dt.tz_localize(None)
    missing = raw.isna().to_numpy()
    return raw.to_numpy("datetime64[s]").astype(np.int64), missing


def _rejects(df: pd.DataFrame, columns: dict[str, str], wrong: dict) -> pd.DataFrame:
    seen, parts = np.zeros(len(df), bool), []
    for ours, (bad, reason) in wrong.items():
        rows = np.flatnonzero(bad & ~seen)
        seen |= bad
        name = columns[ours]
        values = [str(each) for each in df[name].iloc[rows]]
        parts.append(pd.DataFrame({"row": rows, "column": name, "value": values, "reason": reason}))
    return pd.concat(parts, ignore_index=True).sort_values("row", ignore_index=True)


def _nothing_left(n_rows: int, rejects: pd.DataFrame) -> str:
    if not n_rows:
        return "The table has no rows."
    first = rejects.iloc[0]
    return (
        f"None of the {n_rows:,} rows can be used. Row {first['row']}: {first['column']} is "
        f"{first['value']!r}, which is {first['reason']}."
    )
