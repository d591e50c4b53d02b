"""Multi-channel recall (多路召回): several channels' candidates in one list, each item once."""

from collections.abc import Callable, Mapping
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import InteractionMatrix, index_of
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import USERS_AT_ONCE, Recaller, top_k

FUSIONS = ("quota", "rank", "score", "calibrated")
RANK_OFFSET = 60  # of reciprocal-rank fusion, as in its paper

# A channel's list: raw item ids and scores, both (n, depth), as ``recommend`` returns them.
Lists = Mapping[str, tuple[np.ndarray, np.ndarray]]


def fuse(
    lists: Lists,
    weights: Mapping[str, float],
    fusion: str,
    catalogue: np.ndarray,
    k: int,
    calibrations: Mapping[str, Callable] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge the lists of several channels into one.

    An item gets points from each channel that names it; w is the channel's weight and r the place
    in its list, from 1. The points, and how those of several channels are joined:

    ``quota``
        ``w / r``, the best one counts. Equal weights are a round robin; weights that add up to k
        give each channel at least its first w places in a list of k. What several channels name
        makes room for the next in line.
    ``rank``
        ``w / (60 + r)``, added up: what several channels name rises (reciprocal-rank fusion;
        Cormack, Clarke and Büttcher, 2009).
    ``score``
        ``w`` times the score as a share of the range of the user's list, lowest 0, highest 1,
        added up (CombSUM; Fox and Shaw: Combination of multiple searches, 1994).
    ``calibrated``
        ``w`` times the chance of a hit at that score in that channel, added up.

    Parameters
    ----------
    lists : mapping of str to (item_ids, scores), arrays of shape (n, depth)
        What each channel recommends to n users, best first, padded with -1 and -inf.
        Of equal points, the channel named first wins.
    weights : mapping of str to float
        Positive, one for each channel.
    fusion : {"quota", "rank", "score", "calibrated"}
    catalogue : int64 array, sorted
        All ids that the lists may hold.
    k : int
    calibrations : mapping of str to function, optional
        For ``calibrated``: what :func:`recsys_lib.recall.calibrate` returns, for each channel.

    Returns
    -------
    item_ids : int64 array, shape (n, k), padded with -1
    scores : float32 array, shape (n, k), padded with -inf
    channels : str array, shape (n, k), padded with ""
        The channel that gave the item most of its points.
    """
    _check(lists, weights, fusion, calibrations)
    shape = (len(next(iter(lists.values()))[0]), len(catalogue))
    total = np.zeros(shape, dtype=np.float32)
    best = np.full(shape, -1, dtype=np.float32)
    source = np.full(shape, -1, dtype=np.int8)
    for number, (name, (item_ids, scores)) in enumerate(lists.items()):
        # A millionth a channel decides ties in favour of the channel named first.
        weight = weights[name] * (1 - 1e-6 * number)
        points = weight * _points(scores, fusion, (calibrations or {}).get(name))
        user, place = np.nonzero(item_ids >= 0)
        column, gain = index_of(catalogue, item_ids[user, place]), points[user, place]
        total[user, column] += gain
        better = gain > best[user, column]
        user, column, gain = user[better], column[better], gain[better]
        best[user, column], source[user, column] = gain, number
    score = np.where(source >= 0, best if fusion == "quota" else total, -np.inf)
    item_ids, scores = top_k(score, catalogue, k)
    chosen = np.take_along_axis(source, np.maximum(index_of(catalogue, item_ids), 0), axis=1)
    names = np.array([*lists, ""])  # index -1 is the padding
    return item_ids, scores, names[np.where(item_ids >= 0, chosen, -1)]


def _points(scores: np.ndarray, fusion: str, calibration: Callable | None) -> np.ndarray:
    """Return the points of each place for a weight of 1: float, (n, depth)."""
    place = np.broadcast_to(np.arange(1, scores.shape[1] + 1), scores.shape)
    if fusion == "quota":
        return 1 / place
    if fusion == "rank":
        return 1 / (RANK_OFFSET + place)
    if fusion == "calibrated":
        # Bands of equal chance keep the channel's own order by a millionth a place.
        return calibration(scores) - 1e-6 * place
    listed = np.isfinite(scores)
    lowest = np.min(scores, axis=1, keepdims=True, initial=np.inf, where=listed)
    span = np.max(scores, axis=1, keepdims=True, initial=-np.inf, where=listed) - lowest
    # A list of equal scores says that all its items are recalled, so all get the full point.
    share = np.divide(scores - lowest, span, out=np.ones(scores.shape), where=listed & (span > 0))
    return np.where(listed, share, 0)


def _check(channels: Mapping, weights: Mapping[str, float], fusion: str, calibrations) -> None:
    if not channels:
        raise RecsysError("A merge needs at least one channel.")
    if fusion not in FUSIONS:
        raise RecsysError(f"fusion must be one of {', '.join(FUSIONS)}, not {fusion!r}.")
    if set(weights) != set(channels) or min(weights.values()) <= 0:
        raise RecsysError(
            f"weights must be positive, one for each of {', '.join(channels)}, not {dict(weights)}."
        )
    if fusion == "calibrated" and set(channels) - set(calibrations or {}):
        raise RecsysError(
            f"fusion 'calibrated' needs a calibration for each of {', '.join(channels)}, "
            f"not for {', '.join(calibrations or {}) or 'none'}."
        )


class Merged(Recaller):
    """Channels merged into one recaller by :func:`fuse`.

    Parameters
    ----------
    channels : mapping of str to Recaller
        Named channels; :meth:`fit` fits them.
    weights : mapping of str to float, optional
        Positive; one for each channel. By default all are 1.
    fusion : {"quota", "rank", "score", "calibrated"}
    depth : int
        Places of each channel's list that are looked at (more, if more are asked for).
    calibrations : mapping of str to function, optional
        For ``calibrated``, see :func:`fuse`.
    """

    def __init__(
        self,
        channels: Mapping[str, Recaller],
        weights: Mapping[str, float] | None = None,
        *,
        fusion: str = "quota",
        depth: int = 200,
        calibrations: Mapping[str, Callable] | None = None,
    ):
        self.channels = channels
        self.weights = weights
        self.fusion = fusion
        self.depth = depth
        self.calibrations = calibrations

    def fit(self, interactions: pd.DataFrame) -> Self:
        """Fit every channel on the same interactions."""
        self.weights_ = dict.fromkeys(self.channels, 1.0) if self.weights is None else self.weights
        _check(self.channels, self.weights_, self.fusion, self.calibrations)
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
            catalogue = self.matrix_.item_ids
            chunks.append(fuse(lists, self.weights_, self.fusion, catalogue, k, self.calibrations))
        item_ids, scores, channels = (np.concatenate(part) for part in zip(*chunks, strict=True))
        return item_ids, scores, channels

    def lists(self, user_ids, k: int, exclude: pd.DataFrame | None = None) -> Lists:
        """Return each channel's own list, as deep as a merged list of ``k`` needs it."""
        return {
            name: channel.recommend(user_ids, max(k, self.depth), exclude)
            for name, channel in self.channels.items()
        }
