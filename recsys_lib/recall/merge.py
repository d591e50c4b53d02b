"""Multi-channel recall (多路召回): several channels' candidates in one list, each item once."""

from collections.abc import Callable, Mapping
from typing import Self

import numpy as np

from recsys_lib.data.matrix import InteractionMatrix, index_of
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import NO_CHANNEL, ROWS_AT_ONCE, Lists, top_k
from recsys_lib.recall.vocabulary import Vocabulary

FUSIONS = ("quota", "rank", "score", "calibrated")
RANK_OFFSET = 60  # of reciprocal-rank fusion, as in its paper


def fuse(
    lists: Mapping[str, Lists],
    weights: Mapping[str, float],
    fusion: str,
    catalogue: np.ndarray,
    k: int,
    calibrations: Mapping[str, Callable] | None = None,
) -> Lists:
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
    lists : mapping of str to Lists
        What each channel recommends to the same n users. Of equal points, the channel named
        first wins.
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
    Lists
        The channel named for an item is the one that gave it most of its points.
    """
    _check(lists, weights, fusion, calibrations)
    users = next(iter(lists.values())).user_ids
    shape = (len(users), len(catalogue))
    # Row after row in one vector, which numpy reads and writes at given places in a third of the
    # time.
    total = np.zeros(shape[0] * shape[1], dtype=np.float32)
    best = np.full_like(total, -1)
    source = np.full(total.shape, NO_CHANNEL, dtype=np.int16)
    points = points_of(lists, weights, fusion, calibrations)
    for number, (name, of_channel) in enumerate(lists.items()):
        listed = of_channel.listed
        at = index_of(catalogue, of_channel.item_ids[listed])
        at += np.nonzero(listed)[0] * len(catalogue)
        gain = points[name][listed]
        total[at] += gain
        better = gain > best[at]
        at = at[better]
        best[at], source[at] = gain[better], number
    score = np.where(source >= 0, best if fusion == "quota" else total, -np.inf)
    item_ids, scores = top_k(score.reshape(shape), catalogue, k)
    source = source.reshape(shape)
    chosen = np.take_along_axis(source, np.maximum(index_of(catalogue, item_ids), 0), axis=1)
    channel = np.where(item_ids >= 0, chosen, NO_CHANNEL).astype(np.int16)
    return Lists(users, item_ids, scores, channel, tuple(lists))


def points_of(
    lists: Mapping[str, Lists],
    weights: Mapping[str, float],
    fusion: str,
    calibrations: Mapping[str, Callable] | None = None,
) -> dict[str, np.ndarray]:
    """Return the points that each channel gives to the places of its lists, as :func:`fuse` does.

    Returns
    -------
    dict of str to float array, shape (n, depth)
        Means nothing where a list is padded.
    """
    points = {}
    for number, (name, of_channel) in enumerate(lists.items()):
        # A millionth a channel decides ties in favour of the channel named first.
        weight = weights[name] * (1 - 1e-6 * number)
        calibration = (calibrations or {}).get(name)
        points[name] = weight * _points(of_channel.scores, fusion, calibration)
    return points


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

    Items are alike where the channels that compare items say so, merged in the same way.

    Parameters
    ----------
    channels : mapping of str to Recaller
        Named channels; :meth:`fit` fits them. The names are those of the answers.
    weights : mapping of str to float, optional
        Positive; one for each channel. By default all are 1.
    fusion : {"quota", "rank", "score", "calibrated"}
    depth : int
        Places of each channel's list that are looked at (more, if more are asked for).
    calibrations : mapping of str to Calibration, optional
        For ``calibrated``, see :func:`fuse`.
    """

    name = "merged"

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

    @property
    def scores_histories(self) -> bool:
        """Whether all channels score histories."""
        return all(channel.scores_histories for channel in self.channels.values())

    @property
    def has_similar_items(self) -> bool:
        """Whether any channel compares items."""
        return any(channel.has_similar_items for channel in self.channels.values())

    def learn(self, seen: Histories, vocabulary: Vocabulary) -> None:
        self._check_settings()
        for channel in self.channels.values():
            channel.learn(seen, vocabulary)
        self.matrix_, self.vocabulary_ = seen.matrix, vocabulary

    def adopt(self) -> Self:
        """Take the channels as they are: all have been fitted, on the same interactions.

        Raises
        ------
        RecsysError
            A channel is not fitted, or has seen other interactions than the first.
        """
        self._check_settings()
        first = next(iter(self.channels.values()))
        for name, channel in self.channels.items():
            channel._check_request()
            same_ids = channel.vocabulary_ == first.vocabulary_
            if not same_ids or not channel.matrix_.equals(first.matrix_):
                raise RecsysError(
                    f"Channel {name!r} was fitted on other interactions than the first one: fit "
                    "the merge, which fits all of them."
                )
            channel.share(first.matrix_)
        self.matrix_, self.vocabulary_ = first.matrix_, first.vocabulary_
        return self

    def share(self, matrix: InteractionMatrix) -> None:
        super().share(matrix)
        for channel in self.channels.values():
            channel.share(matrix)

    def lists(self, users, k=10, histories=None, exclude=None) -> Lists:
        self._check_request(k, histories)
        users = np.asarray(users, dtype=np.int64)
        if histories is not None:
            histories = Histories.of(histories, self.matrix_.item_ids, users=users)
        chunks = []
        for start in range(0, max(len(users), 1), ROWS_AT_ONCE):
            some = users[start : start + ROWS_AT_ONCE]
            found = {
                name: channel.lists(some, max(k, self.depth), histories, exclude)
                for name, channel in self.channels.items()
            }
            chunks.append(self._fused(found, self.fusion, k))
        return Lists.concatenate(chunks)

    def similar_lists(self, items, k=10) -> Lists:
        self._check_request(k)
        if not self.has_similar_items:
            return super().similar_lists(items, k)
        found = {
            name: channel.similar_lists(items, max(k, self.depth))
            for name, channel in self.channels.items()
            if channel.has_similar_items
        }
        # What a score is worth as a chance of a like says nothing of a likeness.
        return self._fused(found, "rank" if self.fusion == "calibrated" else self.fusion, k)

    def _fused(self, found: Mapping[str, Lists], fusion: str, k: int) -> Lists:
        weights = {name: self._weights[name] for name in found}
        return fuse(found, weights, fusion, self.matrix_.item_ids, k, self.calibrations)

    @property
    def _weights(self) -> Mapping[str, float]:
        return dict.fromkeys(self.channels, 1.0) if self.weights is None else self.weights

    def _check_settings(self) -> None:
        _check(self.channels, self._weights, self.fusion, self.calibrations)
