"""Multi-channel recall (多路召回): several channels' candidates in one list, each item once."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import USERS_AT_ONCE, Recaller, top_k

FUSIONS = ("quota", "rank")
RANK_OFFSET = 60  # of reciprocal-rank fusion, as in its paper


class Merged(Recaller):
    """Candidates of several channels, merged by rank alone: scores of channels don't compare.

    An item at place r (from 1) of a channel with weight w gets w / r (``quota``) or
    w / (60 + r) (``rank``) from it.

    ``quota``
        The best of these over channels is the item's score. Equal weights are a round robin;
        weights that add up to k give each channel at least its first w places in a list of k.
        What several channels name makes room for the next in line.
    ``rank``
        Their sum is the score: what several channels name rises (reciprocal-rank fusion;
        Cormack, Clarke and Büttcher, 2009).

    Parameters
    ----------
    channels : mapping of str to Recaller
        Named channels; :meth:`fit` fits them. Of equal scores, the channel named first wins.
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
        self._check()
        for channel in self.channels.values():
            channel.fit(interactions)
        return super().fit(interactions)

    def _check(self) -> None:
        if not self.channels:
            raise RecsysError("Merged needs at least one channel.")
        if self.fusion not in FUSIONS:
            raise RecsysError(f"fusion must be one of {', '.join(FUSIONS)}, not {self.fusion!r}.")
        if self.weights is not None and (
            set(self.weights) != set(self.channels) or min(self.weights.values()) <= 0
        ):
            raise RecsysError(
                f"weights must be positive, one for each of {', '.join(self.channels)}, "
                f"not {dict(self.weights)}."
            )

    def _fit(self, matrix: InteractionMatrix, interactions: pd.DataFrame) -> None:
        """Nothing more to learn: the channels have."""

    def recommend(
        self, user_ids, k: int, exclude: pd.DataFrame | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` best items of each user, see :meth:`Recaller.recommend`."""
        item_ids, scores, _ = self.recommend_with_channels(user_ids, k, exclude)
        return item_ids, scores

    def recommend_with_channels(
        self, user_ids, k: int, exclude: pd.DataFrame | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what :meth:`recommend` does, and which channel brought each item.

        Returns
        -------
        item_ids : int64 array, shape (n, k), padded with -1
        scores : float32 array, shape (n, k), padded with -inf
        channels : str array, shape (n, k), padded with ""
            The channel that gave the item most of its score.
        """
        if not hasattr(self, "matrix_"):
            raise RecsysError("Merged recommends only after fit().")
        if k < 1:
            raise RecsysError(f"k must be at least 1, not {k}.")
        user_ids = np.asarray(user_ids, dtype=np.int64)
        item_ids = np.empty((len(user_ids), k), dtype=np.int64)
        scores = np.empty((len(user_ids), k), dtype=np.float32)
        names = np.array([*self.channels, ""])  # index -1 is the padding
        channels = np.empty((len(user_ids), k), dtype=names.dtype)
        for start in range(0, len(user_ids), USERS_AT_ONCE):
            some = slice(start, start + USERS_AT_ONCE)
            score, source = self._fused(user_ids[some], max(k, self.depth), exclude)
            item_ids[some], scores[some] = top_k(score, self.matrix_.item_ids, k)
            column = self.matrix_.items_of(item_ids[some])
            listed = np.take_along_axis(source, np.maximum(column, 0), axis=1)
            channels[some] = names[np.where(column >= 0, listed, -1)]
        return item_ids, scores, channels

    def _fused(
        self, user_ids: np.ndarray, depth: int, exclude: pd.DataFrame | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return fused scores and the number of the channel behind each: (m, n_items) both."""
        shape = (len(user_ids), self.matrix_.n_items)
        total = np.zeros(shape, dtype=np.float32)
        best = np.zeros(shape, dtype=np.float32)
        source = np.full(shape, -1, dtype=np.int8)
        for number, (name, channel) in enumerate(self.channels.items()):
            item_ids, _ = channel.recommend(user_ids, depth, exclude)
            user, place = np.nonzero(item_ids >= 0)
            cell = user, self.matrix_.items_of(item_ids[user, place])
            gain = self._gains(name, number, depth)[place]
            total[cell] += gain
            better = np.zeros(shape, dtype=bool)
            better[cell] = gain > best[cell]
            source[better] = number
            best[cell] = np.maximum(best[cell], gain)
        score = best if self.fusion == "quota" else total
        return np.where(source >= 0, score, -np.inf), source

    def _gains(self, name: str, number: int, depth: int) -> np.ndarray:
        """Return what a channel's places are worth: float32, (depth,)."""
        weight = 1.0 if self.weights is None else self.weights[name]
        offset = 0 if self.fusion == "quota" else RANK_OFFSET
        # A millionth a channel decides ties in favour of the channel named first.
        return (weight * (1 - 1e-6 * number) / (offset + np.arange(1, depth + 1))).astype("f4")

    def _score(self, user_index: np.ndarray) -> np.ndarray:
        return self._fused(self.matrix_.user_ids[user_index], self.depth, None)[0]
