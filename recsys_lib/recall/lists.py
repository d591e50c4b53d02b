"""Lists of recommended items as arrays: what recallers, merges and the cascade hand on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import NO_ITEM
from recsys_lib.schema import ITEM, USER
from recsys_lib.seeding import key_hash

ROWS_AT_ONCE = 2_048  # of users: bounds the dense matrices of scores
NO_CHANNEL = -1  # pads a row of channels as NO_ITEM pads a row of items


@dataclass(frozen=True)
class Lists:
    """The best items of n users, best first; rows that are shorter than k are padded.

    Attributes
    ----------
    user_ids : int64 array, shape (n,)
        The users in the order in which they were asked for.
    item_ids : int64 array, shape (n, k), padded with -1
    scores : float32 array, shape (n, k), padded with -inf
    channel_index : int16 array, shape (n, k), padded with -1
        The place in ``channel_names`` of the channel that brought the item.
    channel_names : tuple of str
    """

    user_ids: np.ndarray
    item_ids: np.ndarray
    scores: np.ndarray
    channel_index: np.ndarray
    channel_names: tuple[str, ...]

    @classmethod
    def of(cls, item_ids, scores, user_ids=None, name: str = "") -> "Lists":
        """Return lists that one channel made, from arrays or nested sequences of shape (n, k).

        Parameters
        ----------
        item_ids, scores
            Padded with -1 and -inf.
        user_ids : sequence of int, optional
            By default 0 to n - 1.
        name : str
            The channel's name.
        """
        item_ids = np.asarray(item_ids, dtype=np.int64)
        user_ids = np.arange(len(item_ids)) if user_ids is None else user_ids
        channel = np.where(item_ids != NO_ITEM, 0, NO_CHANNEL).astype(np.int16)
        scores = np.asarray(scores, dtype=np.float32)
        return cls(np.asarray(user_ids, dtype=np.int64), item_ids, scores, channel, (name,))

    @classmethod
    def empty(cls, user_ids, k: int, names: Sequence[str] = ()) -> "Lists":
        """Return lists of nothing but padding, to be filled."""
        user_ids = np.asarray(user_ids, dtype=np.int64)
        shape = (len(user_ids), k)
        return cls(
            user_ids,
            np.full(shape, NO_ITEM, dtype=np.int64),
            np.full(shape, -np.inf, dtype=np.float32),
            np.full(shape, NO_CHANNEL, dtype=np.int16),
            tuple(names),
        )

    @classmethod
    def concatenate(cls, parts: Sequence["Lists"]) -> "Lists":
        """Return the rows of several lists of one length and with the same channel names."""
        fields = ("user_ids", "item_ids", "scores", "channel_index")
        joined = (np.concatenate([getattr(part, field) for part in parts]) for field in fields)
        return cls(*joined, parts[0].channel_names)

    def __len__(self) -> int:
        return len(self.user_ids)

    @property
    def listed(self) -> np.ndarray:
        """Where an item stands and no padding: bool, shape (n, k)."""
        return self.item_ids != NO_ITEM

    @property
    def channels(self) -> np.ndarray:
        """The name of the channel of each place: str, shape (n, k), padded with ``""``."""
        return np.array([*self.channel_names, ""])[self.channel_index]  # -1 is the padding

    def take(self, rows: np.ndarray) -> "Lists":
        """Return the lists of some rows."""
        return replace(
            self,
            user_ids=self.user_ids[rows],
            item_ids=self.item_ids[rows],
            scores=self.scores[rows],
            channel_index=self.channel_index[rows],
        )

    def head(self, k: int) -> "Lists":
        """Return the first ``k`` places of each list."""
        return replace(
            self,
            item_ids=self.item_ids[:, :k],
            scores=self.scores[:, :k],
            channel_index=self.channel_index[:, :k],
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row an item, without padding, in the order of the lists.

        Returns
        -------
        DataFrame
            Columns ``user_id``, ``item_id``, ``score``, ``rank`` (from 1, best first) and
            ``channel``.
        """
        row, place = np.nonzero(self.listed)
        return pd.DataFrame(
            {
                USER: self.user_ids[row],
                ITEM: self.item_ids[row, place],
                "score": self.scores[row, place],
                "rank": place + 1,
                "channel": np.array(self.channel_names, dtype=object)[
                    self.channel_index[row, place]
                ],
            }
        )


def top_k(score: np.ndarray, item_ids: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and scores of the ``k`` best columns of each row, best first.

    Parameters
    ----------
    score : float32 array, shape (m, n_items); ``-inf`` and NaN are never returned
    item_ids : int64 array, shape (n_items,)

    Returns
    -------
    item_ids : int64 array, shape (m, k), padded with -1
    scores : float32 array, shape (m, k), padded with -inf

    Equal scores are ordered by a hash of the item's id, because the ids themselves tell of age
    and popularity.
    """
    m, n_items = score.shape
    score = np.where(np.isnan(score), -np.inf, score).astype(np.float32)
    best_ids = np.full((m, k), NO_ITEM, dtype=np.int64)
    best = np.full((m, k), -np.inf, dtype=np.float32)
    width = min(k, n_items)
    if m == 0 or width == 0:
        return best_ids, best
    # The largest first: of many equal numbers at the low end, numpy's partition is slow.
    threshold = -np.partition(-score, width - 1, axis=1)[:, width - 1 : width]
    # More than k columns of a row may pass: those that equal its k-th score.
    passed = (score >= threshold) & (score > -np.inf)
    count = passed.sum(axis=1)
    there = np.arange(count.max()) < count[:, None]
    ids = item_ids[np.nonzero(passed)[1]]
    value, found = np.full(there.shape, -np.inf, np.float32), np.full(there.shape, NO_ITEM)
    tie = np.zeros(there.shape, dtype=np.uint64)
    value[there], found[there], tie[there] = score[passed], ids, key_hash(ids)
    order = np.lexsort((tie, -value), axis=1)[:, :k]
    best_ids[:, : order.shape[1]] = np.take_along_axis(found, order, axis=1)
    best[:, : order.shape[1]] = np.take_along_axis(value, order, axis=1)
    return best_ids, best
