"""One way in for interactions: what the columns of a table mean, and its rows as numbers.

``data get``, ``recommend`` and :class:`recsys_lib.data.Interactions` all read through here. A table
is read twice, block by block: first to learn what its columns mean (which ids there are, in which
unit the moments are written, what the ratings look like), then to turn them into numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys_lib.data.catalog import RatingScale
from recsys_lib.data.columns import INTERACTION_ROLES, resolve_columns
from recsys_lib.data.id_reader import IdReader
from recsys_lib.data.line_numbers import BrokenLines, Rows
from recsys_lib.data.moments import Moments
from recsys_lib.data.ratings import OUT_OF_RANGE, Ratings
from recsys_lib.data.rejects import DUPLICATE, HEADER, ORPHANS, Rejects, broken_lines, rejects
from recsys_lib.data.sorted_rows import Columns, in_order
from recsys_lib.data.tables import Table
from recsys_lib.data.values import Wrong, text_of
from recsys_lib.schema import IMPLICIT_RATING, ITEM, RATING, TIMESTAMP, USER

OURS = {"user": USER, "item": ITEM, "rating": RATING, "timestamp": TIMESTAMP}
LINE = "line"
WIDEST, MOST_COLUMNS = 24, 8  # of what is shown of a table


@dataclass(frozen=True)
class Meaning:
    """What a person says of the values, where it cannot be found out.

    Attributes
    ----------
    time_unit, time_zone
        As for :class:`recsys_lib.data.moments.Moments`.
    decimal, scale, like
        As for :class:`recsys_lib.data.ratings.Ratings`.
    """

    time_unit: str | None = None
    time_zone: str = "UTC"
    decimal: str | None = None
    scale: tuple[float, float] | None = None
    like: float | None = None

    def __post_init__(self):
        self.moments(), self.ratings()  # wrong settings are refused before anything is read

    def moments(self) -> Moments:
        """Return a reader of moments."""
        return Moments(self.time_unit, self.time_zone)

    def ratings(self) -> Ratings:
        """Return a reader of ratings."""
        return Ratings(self.decimal, self.scale, self.like)


@dataclass
class InteractionReader:
    """Reads the interactions of one table.

    Attributes
    ----------
    table : Table
    columns : dict of str to str
        The table's name of a column, by role: user, item and, where there are such, rating and
        timestamp.
    users, items : IdReader
        A table of users or of items may have been looked at before, so that its ids count too.
    moments : Moments
    ratings : Ratings
    known_users, known_items : int64 arrays, sorted, optional
        Numbers of the users and items of a table that says which there are: others are orphans.
    allowed : RatingScale, optional
        The ratings that a published data set has; others are out of range.
    notes : list of str
        What was assumed and noticed.
    n_read : int
        Rows and broken lines read by :meth:`rows`.
    """

    table: Table
    columns: Mapping[str, str]
    users: IdReader
    items: IdReader
    moments: Moments
    ratings: Ratings
    known_users: np.ndarray | None = None
    known_items: np.ndarray | None = None
    allowed: RatingScale | None = None
    notes: list[str] = field(default_factory=list)
    n_read: int = 0

    @classmethod
    def of(
        cls, table: Table, columns: Mapping[str, str], meaning: Meaning, whole_ids: bool = False
    ) -> "InteractionReader":
        """Return the reader of a table with these columns."""
        users, items = (IdReader(f"The column {columns[r]!r}", whole_ids) for r in ("user", "item"))
        return cls(table, columns, users, items, meaning.moments(), meaning.ratings())

    def learn(self) -> None:
        """Read the table once and settle what its columns mean.

        Raises
        ------
        DataError
            A column is ambiguous, or none of its values is understood.
        """
        for rows in self.table.blocks(list(self.columns.values()), BrokenLines()):
            values = {role: rows.columns[name] for role, name in self.columns.items()}
            lines = rows.lines
            if self.table.is_text and (other := self._headers(values) | _without_id(values)).any():
                # A line of totals or a second header says nothing of what a column holds.
                values = {role: column.filter(pa.array(~other)) for role, column in values.items()}
                lines = lines[~other]
            self.users.look(values["user"], self.table.is_text)
            self.items.look(values["item"], self.table.is_text)
            if "rating" in values:
                self.ratings.look(values["rating"], lines)
            if "timestamp" in values:
                self.moments.look(values["timestamp"], lines)
        self.users.decide()
        self.items.decide()
        if "rating" in self.columns:
            self.ratings.decide(self.columns["rating"], self.table.place)
        else:
            self.notes.append("There is no column of ratings: every row counts as a like.")
        if "timestamp" in self.columns:
            self.moments.decide(self.columns["timestamp"], self.table.place)
        else:
            self.notes.append("There is no column of moments: later rows count as later.")
        for part in (self.users, self.items, self.ratings, self.moments):
            self.notes += part.notes

    def rows(self, aside) -> Iterator[Columns]:
        """Yield the usable rows, in blocks: the canonical columns and ``line``.

        Parameters
        ----------
        aside : object with ``add(frame)``
            Takes the rows that are set aside, as :func:`recsys_lib.data.rejects.rejects` frames.
        """
        broken, seen = BrokenLines(), 0
        for rows in self.table.blocks(list(self.columns.values()), broken):
            values = {role: rows.columns[name] for role, name in self.columns.items()}
            n_rows = len(rows.lines)
            user_id, no_user = self.users.read(values["user"])
            item_id, no_item = self.items.read(values["item"])
            wrong = [("user", each) for each in no_user] + [("item", each) for each in no_item]
            if self.table.is_text:
                wrong.insert(0, ("user", Wrong(self._headers(values), HEADER)))
            if "rating" in values:
                stars, no_rating = self.ratings.read(values["rating"])
                wrong += [("rating", each) for each in no_rating]
                if self.allowed is not None:
                    wrong.append(("rating", Wrong(~self.allowed.allows(stars), OUT_OF_RANGE)))
            else:
                stars = np.full(n_rows, IMPLICIT_RATING)
            if "timestamp" in values:
                when, no_moment = self.moments.read(values["timestamp"])
                wrong += [("timestamp", each) for each in no_moment]
            else:
                when = np.arange(seen, seen + n_rows)
            seen += n_rows
            for role, ids, known in (
                ("user", user_id, self.known_users),
                ("item", item_id, self.known_items),
            ):
                if known is not None:
                    wrong.append((role, Wrong(~np.isin(ids, known), ORPHANS[role])))
            kept = self._set_aside(rows, values, wrong, aside)
            found = (user_id, item_id, stars.astype(np.float32), when.astype(np.int64))
            columns = dict(zip(OURS.values(), found, strict=True)) | {LINE: rows.lines}
            yield {name: column[kept] for name, column in columns.items()}
        aside.add(broken_lines(self.table.path.name, broken))
        self.n_read = seen + len(broken.lines)

    def _headers(self, values: dict) -> np.ndarray:
        """Tell which rows of a text file are its header once more, as where files are joined."""
        again = np.ones(len(values["user"]), dtype=bool)
        for role, column in values.items():
            if not again.any():
                break
            again &= pc.equal(column, self.columns[role]).to_numpy(zero_copy_only=False)
        return again & getattr(self.table, "has_header", False)

    def _set_aside(self, rows: Rows, values: dict, wrong: list, aside) -> np.ndarray:
        """Hand on the rows with a wrong value; of several reasons the first counts."""
        kept = np.ones(len(rows.lines), dtype=bool)
        for role, (mask, reason) in wrong:
            places = np.flatnonzero(mask & kept)
            if len(places):
                kept[places] = False
                texts = text_of(_taken(values[role], places))
                name, file = self.columns[role], self.table.path.name
                aside.add(rejects(file, rows.lines[places], name, texts, reason))
        return kept


def _without_id(values: dict) -> np.ndarray:
    """Tell which rows of a text file lack a user or an item."""
    empty = [pc.equal(pc.utf8_trim_whitespace(values[role]), "") for role in ("user", "item")]
    return pc.or_(*empty).to_numpy(zero_copy_only=False)


def _taken(values, places: np.ndarray):
    return values.iloc[places] if isinstance(values, pd.Series) else values.take(places)


def duplicates(file: str, rows: Columns, repeats: np.ndarray) -> pd.DataFrame:
    """Return the repeated rows as rejects; their value is the moment that they share."""
    return rejects(file, rows[LINE][repeats], TIMESTAMP, rows[TIMESTAMP][repeats], DUPLICATE)


def read_all(reader: InteractionReader) -> tuple[pd.DataFrame, Rejects]:
    """Read a table that fits in memory.

    Returns
    -------
    frame : DataFrame
        The canonical columns, in order of time, user and item.
    rejects : Rejects
    """
    aside = Rejects()
    blocks = list(reader.rows(aside))
    names = [*OURS.values(), LINE]
    whole = {name: np.concatenate([block[name] for block in blocks] or [[]]) for name in names}
    rows, repeats = in_order(whole)
    aside.add(duplicates(reader.table.path.name, rows, repeats))
    frame = pd.DataFrame({name: rows[name][~repeats] for name in OURS.values()})
    return frame.astype({USER: np.int64, ITEM: np.int64, TIMESTAMP: np.int64}), aside


def interaction_columns(
    table: Table, named: Mapping[str, str | None] | None, how: str = "--columns"
) -> dict[str, str]:
    """Find the columns of interactions; see :func:`recsys_lib.data.columns.resolve_columns`."""
    needed = ("user", "item")
    return resolve_columns(table.names, named, INTERACTION_ROLES, needed, table.path.name, how)


def preview(table: Table, columns: Mapping[str, str], n: int = 3) -> list[str]:
    """Return what a table is, which of its columns is what, and its first rows, line by line."""
    rows = table.records(n + 1)
    rows = rows[1:] if rows and rows[0] == table.names else rows[:n]
    grid = [[_cut(each) for each in row[:MOST_COLUMNS]] for row in (table.names, *rows)]
    widths = [max(map(len, column)) for column in zip(*grid, strict=False)]
    lines = [f"{table.path.name}: {table.form}"]
    for row in grid:
        cells = zip(row, widths, strict=False)
        lines.append("  " + "  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    lines.append("read as: " + ", ".join(f"{role} = {name}" for role, name in columns.items()))
    return lines


def _cut(text: str) -> str:
    text = " ".join(text.splitlines())
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."
