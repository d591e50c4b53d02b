"""Point-in-time training samples, and the same features as serving reads them, on one machine.

The formulas are the registry's SQL, read by polars. What they are computed from is kept narrow: the
running states of :class:`~recsys_lib.features.embedded.histories.Histories`, and for each event the
two places where its states stand. The wide samples are made from them a piece at a time.
"""

from collections.abc import Iterator

import polars as pl

from recsys_lib.errors import DataError
from recsys_lib.features.declarations import (
    FAVOURITES,
    FEATURES,
    LABEL,
    LAST_LIKES,
    METADATA,
    STATE,
)
from recsys_lib.features.embedded.histories import Histories
from recsys_lib.features.embedded.likes import Likes
from recsys_lib.features.embedded.ties import formed_ties
from recsys_lib.features.feature import ELEMENT, names_in
from recsys_lib.features.registry import checked, needed
from recsys_lib.features.tie_break import tie_break
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER

TYPES = {
    "int8": pl.Int8,
    "int16": pl.Int16,
    "int32": pl.Int32,
    "int64": pl.Int64,
    "float32": pl.Float32,
    "string": pl.String,
    "strings": pl.List(pl.String),
}
ROWS_AT_ONCE = 1 << 18  # some tens of megabytes of finished samples
_EVENT = (USER, ITEM, RATING, TIMESTAMP)
_KEYS = {"item": ITEM, "user": USER}


class Samples:
    """The events of a data set, and all that their features are made from.

    Parameters
    ----------
    interactions, items, users : polars.DataFrame
        As for :func:`recsys_lib.features.training_samples`.
    columns : list of str, optional
        Features of the registry; by default the reference system's.

    Raises
    ------
    RecsysError
        A column is not in the registry, or is named twice.
    DataError
        An item or a user has two rows, the items have too many genres, or a further column of
        the interactions is called like something that features are made of.
    """

    def __init__(
        self,
        interactions: pl.DataFrame,
        items: pl.DataFrame,
        users: pl.DataFrame | None = None,
        columns: list[str] | None = None,
    ):
        self.columns = checked(columns)
        self._needs = needed(self.columns)
        if FAVOURITES in self._needs:
            self._needs.add("genres")
        self._further = [c for c in interactions.columns if c not in _EVENT]
        if clash := self._needs.union(self.columns).intersection(self._further):
            raise DataError(
                f"The interactions have a column {min(clash)!r}, which is the name of something "
                "that features are made of. Rename it."
            )
        self._metadata = {
            "item": self._known_at_any_time("item", items),
            "user": self._known_at_any_time("user", users),
        }
        self._events = interactions.sort([TIMESTAMP, USER, ITEM]).with_columns(
            (pl.col(RATING) >= LIKE_THRESHOLD).alias(LABEL)
        )
        self._histories = {"item": self._history_of_items(), "user": self._history_of_users()}
        self._likes = self._likes_of_users()

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._events)

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Yield the samples in order of time, user and item, :data:`ROWS_AT_ONCE` at a time."""
        for first in range(0, max(len(self), 1), ROWS_AT_ONCE):
            events = self._events.slice(first, ROWS_AT_ONCE)
            parts = [events]
            for subject, key in _KEYS.items():
                state = self._histories[subject].before(first, ROWS_AT_ONCE)
                known = events.select(key).join(
                    self._metadata[subject], on=key, how="left", maintain_order="left"
                )
                parts += [state, self._lists(subject, state), known.drop(key)]
            rows = pl.concat(parts, how="horizontal")
            yield rows.select(*_formulas(self.columns), *self._further)

    def latest(self, subject: str) -> pl.DataFrame:
        """Return the features of users or of items after their last event, in order of their ids.

        There is one row for each that has an event, or a row in its table.
        """
        key, history = _KEYS[subject], self._histories[subject]
        state = history.latest()
        rows = pl.concat([state, self._lists(subject, state)], how="horizontal")
        rows = rows.join(self._metadata[subject], on=key, how="full", coalesce=True)
        rows = rows.with_columns(pl.col(history.counts_).fill_null(0))
        columns = [c for c in self.columns if FEATURES[c].subject == subject]
        return rows.select(_formulas([key, *columns])).sort(key)

    def _known_at_any_time(self, subject: str, table: pl.DataFrame | None) -> pl.DataFrame:
        """Return the needed columns of a table of items or users, and the elements of its lists."""
        key = _KEYS[subject]
        if table is None:
            table = pl.DataFrame(schema={key: pl.Int64})
        twice = table[key].filter(table[key].is_duplicated())
        if len(twice):
            raise DataError(f"The {subject} {twice[0]} has more than one row; it must have one.")
        columns = {c: kind for c, kind in METADATA[subject].items() if c in self._needs}
        known = table.select(
            key,
            *(
                pl.col(c) if c in table.columns else pl.lit(None, TYPES[kind]).alias(c)
                for c, kind in columns.items()
            ),
        )
        elements = {
            (name, int(place))
            for c in self.columns
            for name, place in ELEMENT.findall(FEATURES[c].formula)
            if name in columns
        }
        return known.with_columns(
            pl.col(name).list.get(place - 1, null_on_oob=True).alias(f"{name}_{place}")
            for name, place in elements
        )

    def _state(self, subject: str) -> dict:
        return {name: kept for name, kept in STATE[subject].items() if name in self._needs}

    def _history_of_items(self) -> Histories:
        history = Histories(self._events.select(ITEM, TIMESTAMP, RATING, LABEL), ITEM)
        history.run(self._state("item"))
        return history

    def _history_of_users(self) -> Histories:
        state = self._state("user")
        read = set().union(*(names_in(kept.value) for kept in state.values()))
        of_items = self._metadata["item"].select(ITEM, *(read & METADATA["item"].keys()))
        rows = self._events.select(*_EVENT, LABEL).join(
            of_items, on=ITEM, how="left", maintain_order="left"
        )
        order = pl.Series("tie", tie_break(rows[USER].to_numpy(), rows[ITEM].to_numpy()))
        history = Histories(rows.with_columns(order), USER, within_a_second=["tie"])
        if read & {"weak_ties", "strong_ties"}:
            history.rows_ = history.rows_.hstack(formed_ties(history.rows_, self._events))
        history.run(state)
        return history

    def _likes_of_users(self) -> Likes | None:
        if not self._needs & {LAST_LIKES, FAVOURITES}:
            return None
        history = self._histories["user"]
        items = self._metadata["item"] if FAVOURITES in self._needs else None
        likes = Likes(history.rows_, items)
        history.keep(likes.reached_)
        return likes

    def _lists(self, subject: str, state: pl.DataFrame) -> pl.DataFrame:
        if subject == "user" and self._likes is not None:
            return self._likes.lists(state)
        return pl.DataFrame()


def _formulas(columns: list[str]) -> list[pl.Expr]:
    """Return the registry's formulas of the columns, each of the registry's type."""
    return [
        pl.sql_expr(ELEMENT.sub(r"\1_\2", feature.formula)).cast(TYPES[feature.dtype]).alias(name)
        for name, feature in ((c, FEATURES[c]) for c in columns)
    ]
