"""What a ranking stage knows of a candidate: the channels' opinions, the item, user and item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.data.splits import in_time_order
from recsys_lib.errors import RecsysError
from recsys_lib.rankers.base import Candidates
from recsys_lib.rankers.listwise.ratings import RatingModel
from recsys_lib.recall import Channel, Histories, Merged, load_recaller
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER

SECONDS_PER_DAY = 86_400
RECENT_DAYS = (14, 60)
LAST = (1, 5, 20)  # of the user's likes, that a candidate is compared with
DEPTHS = (10, 50, 200)  # places of a channel within which it counts as naming an item
LOWEST_Z = -2.0  # what stands for the score of an item that a channel does not recall
PRIOR_RATINGS = 5.0  # ratings of the overall mean that an item's own mean is joined with

# Families of features: what an ablation leaves out together.
OF_CHANNELS, OF_ITEM, OF_PAIR, OF_RATING = "channels", "item", "user x item", "P(like | rated)"
FAMILIES = (OF_CHANNELS, OF_ITEM, OF_PAIR, OF_RATING)

# Name -> what it is, in the order of the columns.
A_CHANNEL = {
    "log_rank": "log(1 + place among all items that the user has not had)",
    "near_top": "1 / (place + 10)",
    "z": "score, in standard deviations from the candidates' mean",
    "missing": "1 where the channel does not recall the item",
}
TOGETHER = {f"named_in_{d}": f"share of channels with it in their first {d}" for d in DEPTHS}
TOGETHER |= {"log_place": "log of the place in recall's list"}
ITEM_FEATURES = {
    "log_likes": "log(1 + likes)",
    "log_ratings": "log(1 + ratings)",
    "like_rate": "likes a rating, shrunk to the mean",
    "mean_rating": "mean rating in stars, shrunk to the mean",
    **{f"likes_{d}d": f"log(1 + likes in the {d} days before)" for d in RECENT_DAYS},
    "trend": "log of the likes a day in the short window over those in the long one",
    "log_age": "log(1 + days since the first rating)",
    "year": "release year in decades from 1990; 0 where unknown",
    "n_genres": "number of genres",
}
A_VECTOR_TABLE = {
    **{f"mean_{n}": f"mean cosine to the user's last {n} likes" for n in LAST},
    **{f"max_{n}": f"largest cosine to the user's last {n} likes" for n in LAST[1:]},
    "disliked": "mean cosine to the user's last 20 dislikes",
}
PAIR_FEATURES = {
    **{f"genres_{n}": f"cosine of genres to the user's {n} likes" for n in ("last 5", "all")},
    **{f"year_{n}": f"decades from the mean year of {n} likes" for n in ("last 5", "20", "all")},
    **{f"pop_{n}": f"log likes from the mean of {n} likes" for n in ("last 5", "20", "all")},
}
RATING_FEATURE = {"expected_rating": "rating that a factor model expects, in stars"}


@dataclass(frozen=True)
class _Past:
    """Events of one user in the order of time: columns of items, stars and seconds."""

    items: np.ndarray
    stars: np.ndarray
    times: np.ndarray


class CandidateFeatures:
    """Features of the candidates of a request, the same in training and in service.

    Nothing is read but what the channels and this object have been fitted on, and the history that
    a request brings, if it does.

    Parameters
    ----------
    channels : mapping of str to Channel
        Fitted, all on one history. Channels that have vectors of items lend these as well.
    items : DataFrame, optional
        ``item_id``, and where known ``release_year`` and ``genres``.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    family_of : dict of str to str
        The family of each column, one of :data:`FAMILIES`.
    """

    def __init__(self, channels: Mapping[str, Channel], items: pd.DataFrame | None = None):
        self.signals = Merged(dict(channels)).adopt()
        self.channels = self.signals.channels
        columns = [c for c in (ITEM, "release_year", "genres") if items is not None and c in items]
        self.items = None if items is None else items[columns]
        self._vectors = {
            name: _unit(channel.item_vectors_)
            for name, channel in channels.items()
            if hasattr(channel, "item_vectors_")
        }
        described = self._described()
        self.family_of = {name: family for name, family, _ in described}
        self.meaning_of = {name: meaning for name, _, meaning in described}
        self.names = tuple(self.family_of)

    def _described(self) -> list[tuple[str, str, str]]:
        of = [(f"{c}.{n}", OF_CHANNELS, m) for c in self.channels for n, m in A_CHANNEL.items()]
        of += [(n, OF_CHANNELS, m) for n, m in TOGETHER.items()]
        of += [(n, OF_ITEM, m) for n, m in ITEM_FEATURES.items()]
        of += [(f"{t}.{n}", OF_PAIR, m) for t in self._vectors for n, m in A_VECTOR_TABLE.items()]
        of += [(n, OF_PAIR, m) for n, m in PAIR_FEATURES.items()]
        return of + [(n, OF_RATING, m) for n, m in RATING_FEATURE.items()]

    def fit(self, events: pd.DataFrame) -> Self:
        """Count what is known of the items.

        Parameters
        ----------
        events : DataFrame
            What the channels were fitted on, with the whole numbers inside as ids.

        Raises
        ------
        RecsysError
            The channels were fitted on other events.
        """
        matrix = self.signals.matrix_
        if not matrix.equals(type(matrix).from_frame(events)):
            raise RecsysError("The channels were fitted on other events than these.")
        self.events = events[[USER, ITEM, RATING, TIMESTAMP]]
        ordered = in_time_order(self.events)
        items, stars = matrix.items_of(ordered[ITEM]), ordered[RATING].to_numpy(np.float64)
        times = ordered[TIMESTAMP].to_numpy(np.float64)
        self._past = _Past(items, stars, times)
        rows = matrix.users_of(ordered[USER])
        self._begins = np.searchsorted(rows, np.arange(matrix.n_users + 1))
        self._count_items(items, stars, times)
        self._read_table()
        self.ratings = RatingModel().fit(rows, items, stars, (matrix.n_users, matrix.n_items))
        return self

    def _count_items(self, items: np.ndarray, stars: np.ndarray, times: np.ndarray) -> None:
        n = self.signals.matrix_.n_items
        liked = stars >= LIKE_THRESHOLD
        n_likes, n_ratings = np.bincount(items[liked], minlength=n), np.bincount(items, minlength=n)
        total = np.bincount(items, stars, n)
        prior = PRIOR_RATINGS
        self._log_likes = np.log1p(n_likes)
        self._counted = np.column_stack(
            [
                self._log_likes,
                np.log1p(n_ratings),
                (n_likes + prior * liked.mean()) / (n_ratings + prior),
                (total + prior * stars.mean()) / (n_ratings + prior),
            ]
        )
        self._first = np.full(n, np.inf)
        np.minimum.at(self._first, items, times)
        order = np.argsort(times[liked], kind="stable")
        self._like_times, self._like_items = times[liked][order], items[liked][order]

    def _read_table(self) -> None:
        matrix = self.signals.matrix_
        known = pd.DataFrame(index=pd.Index(matrix.item_ids, name=ITEM))
        if self.items is not None:
            known = known.join(self.items.drop_duplicates(ITEM).set_index(ITEM))
        empty = pd.Series(index=known.index, dtype=object)
        year = pd.to_numeric(known.get("release_year", empty), errors="coerce")
        self._year = ((year.astype("float64") - 1990) / 10).fillna(0).to_numpy()
        genres = known.get("genres", empty)
        lists = genres.map(lambda each: [] if each is None or np.isscalar(each) else list(each))
        has = pd.get_dummies(lists.explode()).groupby(level=0).sum().reindex(matrix.item_ids)
        self._genres = has.to_numpy(np.float64)  # (n_items, n_genres)
        self._of_table = np.column_stack([self._year, self._genres.sum(axis=1)])

    def scores(self, users: Sequence[int], histories: Histories | None = None) -> list[np.ndarray]:
        """Return each channel's scores of all items for some users: float32, (n_users, n_items)."""
        return [channel.scores(users, histories) for channel in self.channels.values()]

    def rows(
        self, candidates: Candidates, scores: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """Return the features of each candidate: float32, (n, len(names)).

        Parameters
        ----------
        candidates : Candidates
        scores : sequence of float32 arrays, shape (n_items,), optional
            The user's row of what :meth:`scores` returns, where many users are read in turn. A
            channel scores many users at once several times faster than one after another.
        """
        columns = self.signals.matrix_.items_of(candidates.item_ids)
        if (columns < 0).any():
            return self._with_unknown(candidates, columns >= 0, scores)
        row, past, histories = self._known(candidates)
        if scores is None:
            scores = [of_one[0] for of_one in self.scores([candidates.user_id], histories)]
        blocks = [
            *self._of_channels(columns, scores),
            *self._of_items(columns, past),
            *self._of_pairs(columns, past),
            self.ratings.expected(row, past.items, past.stars)[columns, None],
        ]
        return np.column_stack(blocks).astype(np.float32)

    def _with_unknown(self, candidates: Candidates, known: np.ndarray, scores) -> np.ndarray:
        """Read the known items; of an item that nothing was fitted on, each channel says so."""
        table = np.zeros((len(known), len(self.names)), np.float32)
        part = Candidates(
            candidates.user_id,
            candidates.item_ids[known],
            candidates.scores[known],
            [name for name, there in zip(candidates.channels, known, strict=True) if there],
            candidates.history,
        )
        table[known] = self.rows(part, scores) if known.any() else 0
        place = np.log1p(self.signals.matrix_.n_items)
        for column, name in enumerate(self.names):
            empty = {"missing": 1, "log_rank": place, "z": LOWEST_Z}.get(name.split(".")[-1], 0)
            table[~known, column] = empty
        return table

    def _known(self, candidates: Candidates) -> tuple[int, _Past, Histories | None]:
        """Return the user's row (-1 where a history takes its place), past and history."""
        matrix = self.signals.matrix_
        if candidates.history is None:
            row = int(matrix.users_of([candidates.user_id])[0])
            part = slice(*self._begins[row : row + 2]) if row >= 0 else slice(0, 0)
            past = self._past
            return row, _Past(past.items[part], past.stars[part], past.times[part]), None
        histories = Histories.of(candidates.history, matrix.item_ids)
        events = in_time_order(histories.events)
        past = _Past(
            matrix.items_of(events[ITEM]),
            events[RATING].to_numpy(np.float64),
            events[TIMESTAMP].to_numpy(np.float64),
        )
        return -1, past, histories

    def _of_channels(self, columns: np.ndarray, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        blocks, named = [], np.zeros((len(columns), len(DEPTHS)))
        for of_channel in scores:
            known = np.isfinite(of_channel)
            falling = np.sort(-of_channel[known])
            of, listed = of_channel[columns], known[columns]
            place = np.where(listed, np.searchsorted(falling, -of) + 1.0, len(of_channel))
            z = np.full(len(of), LOWEST_Z)
            z[listed] = standard_scores(of[listed])
            blocks += [np.log1p(place), listed / (place + 10), z, ~listed]
            named += listed[:, None] & (place[:, None] <= DEPTHS)
        place = np.arange(1, len(columns) + 1)
        return [*blocks, named / len(self.channels), np.log(place)]

    def _of_items(self, columns: np.ndarray, past: _Past) -> list[np.ndarray]:
        now = past.times[-1] if len(past.times) else self._like_times[-1:].sum()
        end = np.searchsorted(self._like_times, now, side="right")
        n_items, recent = len(self._first), []
        for days in RECENT_DAYS:
            begin = np.searchsorted(self._like_times, now - days * SECONDS_PER_DAY)
            recent.append(np.bincount(self._like_items[begin:end], minlength=n_items)[columns])
        short, long = recent
        trend = np.log((short + 1) / RECENT_DAYS[0]) - np.log((long + 1) / RECENT_DAYS[1])
        age = np.log1p(np.maximum(now - self._first[columns], 0) / SECONDS_PER_DAY)
        lately = [np.log1p(short), np.log1p(long), trend, age]
        return [self._counted[columns], *lately, self._of_table[columns]]

    def _of_pairs(self, columns: np.ndarray, past: _Past) -> list[np.ndarray]:
        liked = past.items[past.stars >= LIKE_THRESHOLD][::-1]  # the latest first
        disliked = past.items[past.stars < LIKE_THRESHOLD][::-1][: LAST[-1]]
        blocks = []
        for unit in self._vectors.values():
            of = unit[columns]
            near = of @ unit[liked[: LAST[-1]]].T  # (n, at most 20)
            blocks += [_mean(near[:, :last]) for last in LAST]
            blocks += [near[:, :last].max(axis=1, initial=-1.0) for last in LAST[1:]]
            blocks.append(_mean(of @ unit[disliked].T))
        genres = _unit(self._genres[columns])
        for some in (liked[:5], liked):
            blocks.append(genres @ _unit(self._genres[some].sum(axis=0)))
        for values in (self._year, self._log_likes):
            for some in (liked[:5], liked[:20], liked):
                usual = values[some].mean() if len(some) else values.mean()
                blocks.append(np.abs(values[columns] - usual))
        return blocks

    def save(self, folder: Path) -> None:
        """Write channels and tables to a folder; :meth:`load` makes them one object again."""
        self.signals.save(folder / "signals")
        self.events.to_parquet(folder / "events.parquet", index=False)
        if self.items is not None:
            self.items.to_parquet(folder / "items.parquet", index=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote."""
        items = folder / "items.parquet"
        return cls(
            load_recaller(folder / "signals").channels,
            pd.read_parquet(items) if items.exists() else None,
        ).fit(pd.read_parquet(folder / "events.parquet"))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length 1 along the last axis; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def _mean(near: np.ndarray) -> np.ndarray:
    """Return the mean of each row; 0 where there are no columns."""
    return near.sum(axis=1) / max(near.shape[1], 1)


def standard_scores(values: np.ndarray) -> np.ndarray:
    """Return values in standard deviations from their mean; zeros where all are equal."""
    spread = values.std() if len(values) else 0
    return (values - values.mean()) / spread if spread > 0 else np.zeros(len(values))
