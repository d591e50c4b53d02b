"""Multi-channel recall (多路召回): several channels' candidates in one list, each item once."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import InteractionMatrix, index_of
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import USERS_AT_ONCE, Recaller, top_k

FUSIONS = ("quota", "rank")
RANK_OFFSET = 60  # of reciprocal-rank fusion, as in its paper


def fuse(
    lists: Mapping[str, np.ndarray],
    weights: Mapping[str, float],
    fusion: str,
    catalogue: np.ndarray,
    k: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge the lists of several channels by rank alone: scores of channels don't compare.

    An item at place r (from 1) of a channel of weight w gets ``w / r`` (fusion ``quota``) or
    ``w / (60 + r)`` (fusion ``rank``) from that channel.

    ``quota``
        The best of these over channels is the item's score. Equal weights are a round robin;
        weights that add up to k give each channel at least its first w places in a list of k.
        What several channels name makes room for the next in line.
    ``rank``
        Their sum is the score: what several channels name rises (reciprocal-rank fusion;
        Cormack, Clarke and Büttcher, 2009).

    Parameters
    ----------
    lists : mapping of str to int64 array, shape (n, depth)
        Raw item ids a channel recommends to each of n users, best first, padded with -1.
        Of equal scores, the channel named first wins.
    weights : mapping of str to float
        Positive, one for each channel.
    fusion : {"quota", "rank"}
    catalogue : int64 array, sorted
        All ids that the lists may hold.
    k : int

    Returns
    -------
    item_ids : int64 array, shape (n, k), padded with -1
    scores : float32 array, shape (n, k), padded with -inf
    channels : str array, shape (n, k), padded with ""
        The channel that gave the item most of its score.
    """
    _check(lists, weights, fusion)
    shape = (len(next(iter(lists.values()))), len(catalogue))
    total = np.zeros(shape, dtype=np.float32)
    best = np.zeros(shape, dtype=np.float32)
    source = np.full(shape, -1, dtype=np.int8)
    offset = 0 if fusion == "quota" else RANK_OFFSET
    for number, (name, item_ids) in enumerate(lists.items()):
        # A millionth a channel decides ties in favour of the channel named first.
        weight = weights[name] * (1 - 1e-6 * number)
        gains = (weight / (offset + np.arange(1, item_ids.shape[1] + 1))).astype(np.float32)
        user, place = np.nonzero(item_ids >= 0)
        column, gain = index_of(catalogue, item_ids[user, place]), gains[place]
        total[user, column] += gain
        better = gain > best[user, column]
        user, column, gain = user[better], column[better], gain[better]
        best[user, column], source[user, column] = gain, number
    score = np.where(source >= 0, best if fusion == "quota" else total, -np.inf)
    item_ids, scores = top_k(score, catalogue, k)
    chosen = np.take_along_axis(source, np.maximum(index_of(catalogue, item_ids), 0), axis=1)
    names = np.array([*lists, ""])  # index -1 is the padding
    return item_ids, scores, names[np.where(item_ids >= 0, chosen, -1)]


def _check(channels: Mapping, weights: Mapping[str, float], fusion: str) -> None:
    if not channels:
        raise RecsysError("A merge needs at least one channel.")
    if fusion not in FUSIONS:
        raise RecsysError(f"fusion must be one of {', '.join(FUSIONS)}, not {fusion!r}.")
    if set(weights) != set(channels) or min(weights.values()) <= 0:
        raise RecsysError(
            f"weights must be positive, one for each of {', '.join(channels)}, not {dict(weights)}."
        )


class Merged(Recaller):
    """Channels merged into one recaller by :func:`fuse`.

    Parameters
    ----------
    channels : mapping of str to Recaller
        Named channels; :meth:`fit` fits them.
    weights : mapping of str to float, optional
        Positive; one for each channel. By default all are 1.
    fusion : {"quota", "rank"}
    depth : int
        Places of each channel's list that are looked at (more, if more are asked for).
    """

    def __init__(
        self,
        channels: Mapping[str, Recaller],
        weights: Mapping[str, float] | None = None,
        *,
        fusion: str = "quota",
        depth: int = 200,
    ):
        self.channels = channels
        self.weights = weights
        self.fusion = fusion
        self.depth = depth

    def fit(self, interactions: pd.DataFrame) -> Self:
        """Fit every channel on the same interactions."""
        self.weights_ = dict.fromkeys(self.channels, 1.0) if self.weights is None else self.weights
        _check(self.channels, self.weights_, self.fusion)
        for channel in self.channels.values():
            channel.fit(interactions)
        self.matrix_ = InteractionMatrix.from_frame(interactions)
        return self

    def recommend(
        self, user_ids, k: int, exclude: pd.DataFrame | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        item_ids, scores, _ = self.recommend_with_channels(user_ids, k, exclude)
        return item_ids, scores

    def recommend_with_channels(
        self, user_ids, k: int, exclude: pd.DataFrame | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what :meth:`recommend` does, and the channel behind each item, as :func:`fuse`."""
        self._check_request(k)
        user_ids = np.asarray(user_ids, dtype=np.int64)
        chunks = []
        for start in range(0, max(len(user_ids), 1), USERS_AT_ONCE):
            lists = self.lists(user_ids[start : start + USERS_AT_ONCE], k, exclude)
            chunks.append(fuse(lists, self.weights_, self.fusion, self.matrix_.item_ids, k))
        item_ids, scores, channels = (np.concatenate(part) for part in zip(*chunks, strict=True))
        return item_ids, scores, channels

    def lists(self, user_ids, k: int, exclude: pd.DataFrame | None = None) -> dict:
        """Return each channel's own list, as deep as a merged list of ``k`` needs it."""
        return {
            name: channel.recommend(user_ids, max(k, self.depth), exclude)[0]
            for name, channel in self.channels.items()
        }
