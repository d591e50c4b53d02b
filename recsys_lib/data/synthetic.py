"""Data of any size that behaves like MovieLens, with taste groups planted for tests to find.

Each item belongs to one hidden group and so does each user. A user draws ``affinity`` of the
items from the own group and the rest from everywhere, always by popularity, and gives own-group
items ``liking_stars`` more. Users are made block by block and sorted through disk, so that memory
depends on the number of users and items, not of interactions.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys_lib import files
from recsys_lib.data import store
from recsys_lib.data.catalog import KNOWN
from recsys_lib.data.fetch import Progress
from recsys_lib.data.formats import ML_100K_GENRES, items_frame
from recsys_lib.data.sorted_rows import RowSorter
from recsys_lib.errors import DataError
from recsys_lib.seeding import DEFAULT_SEED, generator

MIN_ACTIVITY = 20  # MovieLens publishes users with at least so many ratings
BLOCK_ROWS = 1 << 20  # one random stream a block: another size is other data
ROUNDS = 12  # of drawing, before the few insatiable users are served one by one
MAX_SHARE = 0.5  # of all items that one user may have rated
GENRES = ML_100K_GENRES[1:]
START_S = 852_076_800  # 1997-01-01, UTC
PLANTED = pa.schema([("kind", pa.string()), ("id", pa.int64()), ("group", pa.int64())])


@dataclass(frozen=True)
class SyntheticConfig:
    """Sizes and habits. Defaults were set by eye to resemble MovieLens.

    Attributes
    ----------
    n_users, n_items, n_interactions
        Sizes in all; every user has at least 20 interactions and at most half of the items.
    n_groups
        Planted taste groups.
    affinity
        Share of draws from the user's own group, 0 to 1.
    liking_stars
        How much better own-group items are rated, in stars.
    popularity_exponent, popularity_offset
        Zipf-Mandelbrot law of items: weight (rank + offset) ** -exponent.
    activity_sigma
        Spread of the log-normal number of interactions a user has beyond 20.
    burst_share
        Share of a user's ratings given in the hour of signing up.
    years
        Length of the time span.
    """

    n_users: int = 1_000
    n_items: int = 2_000
    n_interactions: int = 100_000
    seed: int = DEFAULT_SEED
    n_groups: int = 8
    affinity: float = 0.7
    liking_stars: float = 1.0
    popularity_exponent: float = 1.1
    popularity_offset: float = 20.0
    activity_sigma: float = 1.2
    burst_share: float = 0.75
    years: float = 4.0

    def __post_init__(self):
        for field in ("n_users", "n_items", "n_interactions"):
            if getattr(self, field) < 1:
                raise DataError(f"{field} must be at least 1, not {getattr(self, field)}.")
        most = int(self.n_items * MAX_SHARE) * self.n_users
        least = MIN_ACTIVITY * self.n_users
        if least > most:
            raise DataError(
                f"{self.n_items:,} items are too few: a user rates {MIN_ACTIVITY} at least and "
                f"{MAX_SHARE:.0%} of all at most."
            )
        if not least <= self.n_interactions <= most:
            raise DataError(
                f"{self.n_users:,} users with {self.n_items:,} items can have {least:,} to "
                f"{most:,} interactions (20 a user at least, half of the items at most), "
                f"not {self.n_interactions:,}."
            )
        if self.n_groups < 1 or self.n_groups > self.n_items:
            raise DataError(f"n_groups must lie in 1 to {self.n_items:,}, not {self.n_groups}.")
        for field in ("affinity", "burst_share"):
            if not 0 <= getattr(self, field) <= 1:
                raise DataError(f"{field} must lie in 0 to 1, not {getattr(self, field)}.")
        if not self.years > 0:
            raise DataError(f"years must be positive, not {self.years}.")


@dataclass(frozen=True)
class _World:
    """The planted truth: groups, popularity (cumulative, over all and in each group), biases."""

    user_group: np.ndarray  # (n_users,)
    item_group: np.ndarray  # (n_items,)
    by_group: np.ndarray  # items (n_items,) ordered by group
    cumulative: np.ndarray  # (n_items,) popularity in that order, running sum over all groups
    edges: np.ndarray  # (n_groups + 1,) of cumulative
    weight: np.ndarray  # (n_items,) popularity by item index
    quality: np.ndarray  # (n_items,) stars
    activity: np.ndarray  # (n_users,) number of interactions


def _activity(config: SyntheticConfig) -> np.ndarray:
    """Return the interactions of each user, int64 (n_users,), summing to the number asked for."""
    rng = generator(config.seed, "synthetic", "activity")
    wish = rng.lognormal(0.0, config.activity_sigma, config.n_users)
    most = int(config.n_items * MAX_SHARE)
    count = np.full(config.n_users, MIN_ACTIVITY, dtype=np.int64)
    while (left := config.n_interactions - int(count.sum())) > 0:
        open_ = count < most
        share = np.where(open_, wish, 0.0)
        extra = np.floor(left * share / share.sum()).astype(np.int64)
        if not extra.any():  # what rounding left goes one by one to the keenest
            extra[np.argsort(-share, kind="stable")[: min(left, int(open_.sum()))]] = 1
        count = np.minimum(count + extra, most)
    return count


def _world(config: SyntheticConfig) -> _World:
    rng = generator(config.seed, "synthetic", "world")
    rank = rng.permutation(config.n_items)
    weight = (rank + config.popularity_offset) ** -config.popularity_exponent
    # By rank in turn, so that every group has its share of popular items.
    item_group = rank % config.n_groups
    user_group = rng.integers(0, config.n_groups, config.n_users)
    by_group = np.argsort(item_group, kind="stable")
    cumulative = np.cumsum(weight[by_group])
    sizes = np.bincount(item_group, minlength=config.n_groups)
    edges = np.concatenate([[0.0], cumulative[np.cumsum(sizes) - 1]])
    quality = 3.2 + 0.5 * rng.standard_normal(config.n_items)
    activity = _activity(config)
    return _World(user_group, item_group, by_group, cumulative, edges, weight, quality, activity)


def _draw(users: np.ndarray, world: _World, affinity: float, rng) -> np.ndarray:
    """Draw one item index for each entry of ``users`` (n,), with repetitions."""
    own = rng.random(len(users)) < affinity
    group = world.user_group[users]
    low = np.where(own, world.edges[group], 0.0)
    high = np.where(own, world.edges[group + 1], world.edges[-1])
    place = np.searchsorted(world.cumulative, low + rng.random(len(users)) * (high - low))
    return world.by_group[np.minimum(place, len(world.by_group) - 1)]


def _choices(users: np.ndarray, world: _World, config: SyntheticConfig, rng) -> tuple:
    """Return (user index, item index) of distinct pairs, as many a user as ``activity`` says."""
    n_items = config.n_items
    first, want = users[0], world.activity[users]
    pairs = np.empty(0, dtype=np.int64)
    for _ in range(ROUNDS):
        have = np.bincount(pairs // n_items - first, minlength=len(users))
        missing = want - have
        if not missing.any():
            break
        drawn_by = np.repeat(users, np.where(missing > 0, missing + missing // 4 + 4, 0))
        item = _draw(drawn_by, world, config.affinity, rng)
        fresh = _new(drawn_by * n_items + item, pairs)
        # The surplus of a user is cut at random: cutting by item id would favour low ids.
        order = np.lexsort((rng.random(len(fresh)), fresh // n_items))
        fresh = fresh[order]
        owner = fresh // n_items - first
        starts = np.searchsorted(owner, np.arange(len(users)))
        within = np.arange(len(fresh)) - starts[owner]
        pairs = np.sort(np.concatenate([pairs, fresh[within < missing[owner]]]))
    missing = want - np.bincount(pairs // n_items - first, minlength=len(users))
    late = [_top_up(users[i], missing[i], pairs, world, n_items, rng) for i in missing.nonzero()[0]]
    pairs = np.sort(np.concatenate([pairs, *late]))
    return pairs // n_items, pairs % n_items


def _new(drawn: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the distinct values of ``drawn`` that are not in ``pairs`` (sorted), sorted.

    By sorting: numpy's hash-based ``unique`` needs 1.3 s for a million such keys.
    """
    drawn = np.sort(drawn)
    keep = np.ones(len(drawn), dtype=bool)
    keep[1:] = drawn[1:] != drawn[:-1]
    if len(pairs):
        place = np.minimum(np.searchsorted(pairs, drawn), len(pairs) - 1)
        keep &= pairs[place] != drawn
    return drawn[keep]


def _top_up(user: int, n_missing: int, pairs, world: _World, n_items: int, rng) -> np.ndarray:
    """Return the rest for one user exactly, without repetition (Gumbel's top-k)."""
    seen = pairs[pairs // n_items == user] % n_items
    keys = np.log(world.weight) + rng.gumbel(size=n_items)
    keys[seen] = -np.inf
    return user * n_items + np.argpartition(-keys, n_missing - 1)[:n_missing]


def _rows(users: np.ndarray, world: _World, config: SyntheticConfig, rng) -> dict:
    """Return the interactions of a block of users, raw ids counted from 1."""
    user, item = _choices(users, world, config, rng)
    n_rows = len(user)
    own = world.user_group[user] == world.item_group[item]
    bias = 0.4 * rng.standard_normal(len(users))[user - users[0]]
    stars = world.quality[item] + bias + config.liking_stars * own
    stars = np.clip(np.round(2 * (stars + 0.7 * rng.standard_normal(n_rows))) / 2, 0.5, 5.0)
    # Half of the users only ever give whole stars, as before MovieLens had halves.
    whole = (rng.random(len(users)) < 0.5)[user - users[0]]
    stars = np.where(whole, np.clip(np.floor(stars + 0.5), 1.0, 5.0), stars)
    span_s = config.years * 365.25 * 86_400
    signed_up = (span_s * 0.98 * rng.random(len(users)))[user - users[0]]
    # In the burst pages of several films are rated at once: whole minutes, many ties.
    in_burst = rng.random(n_rows) < config.burst_share
    minutes = np.floor(rng.exponential(8.0, n_rows)) * 60
    later = 3_600 + rng.exponential(120 * 86_400, n_rows)
    after = np.where(in_burst, minutes, later)
    room = span_s - signed_up
    when = START_S + np.floor(signed_up) + np.floor(np.where(after < room, after, after % room))
    return {
        "user_id": user + 1,
        "item_id": item + 1,
        "rating": stars.astype(np.float32),
        "timestamp": when.astype(np.int64),
    }


def _items(world: _World, config: SyntheticConfig) -> pd.DataFrame:
    """Return the canonical items: the group's genre first, then up to two others."""
    rng = generator(config.seed, "synthetic", "items")
    n_items = config.n_items
    genres = np.asarray(GENRES, dtype=object)
    main = world.item_group % len(genres)
    others = (main[:, None] + rng.integers(1, len(genres), (n_items, 2))) % len(genres)
    n_others = rng.integers(0, 3, n_items)
    lists = [
        list(dict.fromkeys(genres[[first, *rest[:n]]]))
        for first, rest, n in zip(main, others, n_others, strict=True)
    ]
    years = (1930 + 67 * rng.beta(4, 1, n_items)).astype(np.int16)
    ids = np.arange(1, n_items + 1)
    titles = "Film " + pd.Series(ids).astype(str)
    frame = items_frame(titles, pd.Series(years).astype("Int16"), lists)
    return frame.assign(item_id=ids)


def synthesise(
    name: str, config: SyntheticConfig, progress: Progress | None = None
) -> store.Dataset:
    """Make a synthetic data set and store it under ``name``.

    ``planted.parquet`` beside it holds the truth: kind (user or item), id, group. Same
    configuration, same content.
    """
    if name in KNOWN:
        raise DataError(f"{name!r} is the name of a published data set; take another.")
    world = _world(config)
    ends = np.cumsum(world.activity)
    blocks = np.searchsorted(ends, np.arange(BLOCK_ROWS, ends[-1], BLOCK_ROWS))
    parts = [part for part in np.split(np.arange(config.n_users), blocks) if len(part)]
    with (
        files.locked(store.folder_of(name)),
        store.writing(name) as writer,
        TemporaryDirectory(dir=writer.folder) as folder,
        RowSorter(Path(folder)) as sorter,
    ):
        n_rows = 0
        for number, users in enumerate(parts):
            rng = generator(config.seed, "synthetic", "block", number)
            rows = _rows(users, world, config, rng)
            sorter.add(rows | {"line": np.arange(len(rows["user_id"]))})
            n_rows += len(rows["user_id"])
            if progress:
                progress(n_rows, config.n_interactions)
        for rows, _ in sorter.merged():
            writer.interactions(rows)
        writer.table("items", _items(world, config))
        planted = pd.concat(
            [
                pd.DataFrame({"kind": kind, "id": np.arange(1, len(group) + 1), "group": group})
                for kind, group in (("user", world.user_group), ("item", world.item_group))
            ]
        )
        writer.table("planted", planted, PLANTED)
        writer.finish(
            {
                "name": name,
                "source": {"format": "synthetic", "config": asdict(config)},
                "rating_scale": {"low": 0.5, "high": 5.0, "step": 0.5},
                "license": "made by recsys data synth: free",
                "citation": None,
            }
        )
    return store.load(name)
