"""Running states: what was known of each user or item before each of their events.

Rows are sorted by subject (a user or an item) and time. An aggregate that runs over them, and
starts anew with each subject, is the state *after* a row. The events of one second must not know
one another, so the state *before* an event is the one after the subject's last event of an earlier
second: all rows of a second read it in the same place.

Sums run from one row to the next within a subject, never as a difference of two totals. So the
result is exact where a sum of the subject's own values is (see
:func:`recsys_lib.features.feature.moments`), however many others there are.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from recsys_lib.features.feature import Aggregate
from recsys_lib.schema import TIMESTAMP

# A running aggregate over values, some of which may be null, by the name of its function.
_RUNNING = {
    "count": lambda value: value.cum_count().cast(pl.Int64),
    "sum": lambda value: value.cum_sum().forward_fill(),
    "min": lambda value: value.cum_min().forward_fill(),
    "max": lambda value: value.cum_max().forward_fill(),
}


class Histories:
    """The events of each user, or of each item, in order of time.

    Parameters
    ----------
    rows : polars.DataFrame
        Events with the subject's id, ``timestamp`` and whatever the aggregates read.
    subject : str
        Column of the subject's id; no null.
    within_a_second : sequence of str
        Columns that order the events of one second; by default they keep the order of ``rows``.

    Attributes
    ----------
    rows_ : polars.DataFrame
        The rows in order of subject and time.
    place_ : polars.Series of uint32, shape (n,)
        For each row as given: the row of ``rows_`` after which its subject stood before its
        second; null in a subject's first second.
    last_ : polars.Series of uint32, shape (n_subjects,)
        The last row of each subject in ``rows_``, in order of the subjects' ids.
    state_ : polars.DataFrame, shape (n, n_states)
        What is known after each row of ``rows_``.
    counts_ : list of str
        The columns of ``state_`` that are 0, not null, before there is an event.
    """

    def __init__(self, rows: pl.DataFrame, subject: str, within_a_second: Sequence[str] = ()):
        self.subject = subject
        ordered = rows.with_row_index("row").sort(
            [subject, TIMESTAMP, *within_a_second], maintain_order=True
        )
        new_subject = pl.col(subject).ne_missing(pl.col(subject).shift())
        new_second = new_subject | pl.col(TIMESTAMP).ne_missing(pl.col(TIMESTAMP).shift())
        index = pl.int_range(pl.len(), dtype=pl.Int64)
        places = ordered.select(
            "row",
            # -1 in the first second; null is filled with the place of the second's first row.
            place=pl.when(new_subject).then(-1).when(new_second).then(index - 1).forward_fill(),
        )
        place = np.empty(len(rows), np.int64)
        place[places["row"].to_numpy()] = places["place"].to_numpy()
        place = pl.Series("place", place)
        self.place_ = place.set(place < 0, None).cast(pl.UInt32)
        self.last_ = ordered.select(
            index.filter(pl.col(subject).ne_missing(pl.col(subject).shift(-1))).cast(pl.UInt32)
        ).to_series()
        self.rows_ = ordered.drop("row")
        self.state_ = pl.DataFrame()
        self.counts_: list[str] = []

    def run(self, aggregates: dict[str, Aggregate]) -> None:
        """Add running aggregates of ``rows_`` to the state."""
        self.counts_ += [name for name, kept in aggregates.items() if kept.function == "count"]
        self.keep(
            self.rows_.select(
                _RUNNING[kept.function](pl.sql_expr(kept.value)).over(self.subject).alias(name)
                for name, kept in aggregates.items()
            )
        )

    def keep(self, state: pl.DataFrame) -> None:
        """Add columns, known after each row of ``rows_``, to the state."""
        self.state_ = pl.concat([self.state_, state], how="horizontal")

    def before(self, first: int, n: int) -> pl.DataFrame:
        """Return the state before each of ``n`` rows as given, from the ``first`` on."""
        return self._at(self.place_.slice(first, n))

    def latest(self) -> pl.DataFrame:
        """Return the subjects' ids and the state after their last event, in order of the ids."""
        ids = self.rows_.select(pl.col(self.subject).gather(self.last_))
        return pl.concat([ids, self._at(self.last_)], how="horizontal")

    def _at(self, places: pl.Series) -> pl.DataFrame:
        state = pl.DataFrame([kept.gather(places) for kept in self.state_])
        return state.with_columns(pl.col(self.counts_).fill_null(0))
