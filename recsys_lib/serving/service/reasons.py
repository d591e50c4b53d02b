"""Why an item is on a list, in one sentence that is true of the channel that brought it."""

import numpy as np

from recsys_lib.data.matrix import InteractionMatrix, index_of
from recsys_lib.recall import Channel, Histories, Recaller
from recsys_lib.recall.channels.popular import SameForAll
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING
from recsys_lib.serving.service.catalogue import Catalogue
from recsys_lib.serving.service.people import Person

LATEST_LIKES = 200  # that are looked at


class Reasons:
    """Finds reasons.

    Parameters
    ----------
    catalogue : Catalogue
    """

    def __init__(self, catalogue: Catalogue):
        self.catalogue = catalogue

    def of(self, channel: Recaller, person: Person, item_ids) -> list[dict]:
        """Return a reason for each item: ``text``, and ``because``, the liked item it speaks of.

        A channel that compares items names the item among the user's likes that it holds to be
        most like this one.
        """
        rows = self.catalogue.rows_of(item_ids)
        if isinstance(channel, SameForAll) or not len(item_ids):
            return [self._popular(row) for row in rows]
        nearest = self._nearest_likes(channel, person, np.asarray(item_ids, np.int64))
        return [
            self._popular(row) if like < 0 else self._because(like)
            for row, like in zip(rows, nearest, strict=True)
        ]

    def _because(self, like: int) -> dict:
        known = self.catalogue.of_row(self.catalogue.row_of(int(like)))
        return {"text": f"because you liked {known['title']}", "because": known["item_id"]}

    def _popular(self, row: int) -> dict:
        likes = int(self.catalogue.likes[row])
        people = "person likes" if likes == 1 else "people like"
        return {"text": f"{likes:,} {people} it", "because": None}

    def _nearest_likes(self, channel: Recaller, person: Person, items: np.ndarray) -> np.ndarray:
        """Return for each item the liked one most like it: int64, (n,), -1 where there is none."""
        events = person.events
        likes = events.loc[events[RATING] >= LIKE_THRESHOLD, ITEM].to_numpy(np.int64)
        likes = likes[-LATEST_LIKES:]
        none = np.full(len(items), -1, np.int64)
        if not len(likes) or not channel.has_similar_items or not isinstance(channel, Channel):
            return none
        columns, known = channel.matrix_.items_of(items), channel.matrix_.items_of(likes)
        likes, known = likes[known >= 0], known[known >= 0]
        if not len(likes) or (columns < 0).any():
            return none
        alike = np.asarray(channel._similar(columns))[:, known]  # (n, n_likes)
        best = alike.argmax(axis=1)
        found = np.isfinite(alike[np.arange(len(items)), best])
        return np.where(found, likes[best], -1)


def histories_of(person: Person, item_ids: np.ndarray) -> Histories | None:
    """Return a user's events as a history, or None where there are none."""
    events = person.events[index_of(item_ids, person.events[ITEM]) >= 0]
    if events.empty:
        return None
    # Understood already: all ids are whole numbers inside, a stranger's among them.
    return Histories(
        events, InteractionMatrix.from_frame(events, np.array([person.code]), item_ids)
    )
