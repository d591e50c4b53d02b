"""User features that a stream keeps, whatever order its events come in (S24)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys_lib.features.declarations import N_LIKED_ITEMS
from recsys_lib.features.registry import names
from recsys_lib.features.running import RunningUserFeatures
from recsys_lib.features.tie_break import tie_break
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER
from recsys_lib.stores.rows import RowFormat

LIKED_ITEMS, LIKED_TIMES = "state_liked_items", "state_liked_times"
VIEWS, LAST_EVENT = "state_views", "state_last_event"
NOTHING = -(2**63)  # the time of a place that no like has taken
KIND, EVENT_ID, VIEW, RATED = "kind", "event_id", "view", "rating"


class StreamUserFeatures(RunningUserFeatures):
    """The registry's user features and a short history, equal for every order of the events.

    Sums and counts do not mind the order. The list of the last likes does, so each like is kept
    with its time, and a like that comes late is put where it belongs.

    Parameters
    ----------
    items : DataFrame
        See :class:`~recsys_lib.features.running.RunningUserFeatures`.
    history : int
        How many of the last likes a row keeps; at least the registry's five.
    """

    def __init__(self, items: pd.DataFrame, *, history: int = 50):
        super().__init__(items)
        self.history = max(history, N_LIKED_ITEMS)
        self.item_ids = frozenset(self._about)

    @property
    def types(self) -> dict[str, str]:
        """Types of the columns of state, for a feature store's ``types``."""
        liked = f"int64[{self.history}]"
        state = {LIKED_ITEMS: liked, LIKED_TIMES: liked, VIEWS: "int32", LAST_EVENT: "int64"}
        return super().types | state

    @property
    def columns(self) -> list[str]:
        """All columns of a row but the user, in the order in which a store lays them out."""
        return [*names("user"), *self.types]

    def fold(self, rows: Iterable[Mapping], events: Iterable[Mapping]) -> list[dict]:
        """Return rows changed by events, which may come in any order.

        Parameters
        ----------
        rows : iterable of mappings
            As this function returned them; of a new user ``user_id`` alone is enough.
        events : iterable of mappings
            ``user_id``, ``item_id``, ``timestamp`` and ``rating``, and optionally ``kind``: a
            ``view`` has no rating.
        """
        events = list(events)
        users, items = (np.array([e[key] for e in events], np.int64) for key in (USER, ITEM))
        ties = tie_break(users, items).tolist()
        return super().fold(rows, ({**e, "tie": t} for e, t in zip(events, ties, strict=True)))

    def table(self, events: pd.DataFrame) -> pa.Table:
        """Return what a batch publishes: the row of every user of a history, and its time."""
        order = events[USER].drop_duplicates().sort_values().tolist()
        rows = self.fold(({USER: user} for user in order), events.to_dict("records"))
        schema = RowFormat.of(self.columns, USER, self.types).arrow
        table = pa.Table.from_pylist(rows, schema)
        return table.append_column(TIMESTAMP, table[LAST_EVENT])

    @staticmethod
    def liked(row: Mapping | None) -> np.ndarray:
        """Return the items that a row's user liked last, newest first: int64."""
        if row is None:
            return np.empty(0, np.int64)
        return row[LIKED_ITEMS][row[LIKED_TIMES] != NOTHING]

    def _opened(self, row: Mapping) -> dict:
        opened = super()._opened(row)
        items = self.liked(row) if LIKED_ITEMS in row else np.empty(0, np.int64)
        times = row[LIKED_TIMES][: len(items)].tolist() if LIKED_ITEMS in row else []
        ties = tie_break(np.full(len(items), row[USER], np.int64), np.ascontiguousarray(items))
        opened["recent"] = list(zip(times, ties.tolist(), items.tolist(), strict=True))
        opened[VIEWS], opened[LAST_EVENT] = row.get(VIEWS, 0), row.get(LAST_EVENT, NOTHING)
        return opened

    def _count(self, row: dict, event: Mapping) -> None:
        row[LAST_EVENT] = max(row[LAST_EVENT], event[TIMESTAMP])
        if event.get(KIND, RATED) == VIEW:
            row[VIEWS] += 1
            return
        super()._count(row, event)
        if event[RATING] >= LIKE_THRESHOLD:
            row["recent"].append((event[TIMESTAMP], event["tie"], event[ITEM]))

    def _features(self, row: dict) -> dict:
        recent = sorted(row.pop("recent"), reverse=True)[: self.history]
        times, items = np.full(self.history, NOTHING), np.zeros(self.history, np.int64)
        for place, (time, _, item) in enumerate(recent):
            times[place], items[place] = time, item
        row["liked"] = [item for _, _, item in recent[:N_LIKED_ITEMS]]
        row[LIKED_ITEMS], row[LIKED_TIMES] = items, times
        return super()._features(row)
