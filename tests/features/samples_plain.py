"""All samples of a data set on one machine, in plain pandas: what the Spark job must equal.

Fast and obvious: totals a second, summed up over the earlier seconds.
"""

from collections import deque

import numpy as np
import pandas as pd

YEAR_ORIGIN = 2000


def samples(events: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return one row an event, sorted by time, user and item; missing values are NaN or None."""
    rows = events.merge(items[["item_id", "release_year", "genres"]], on="item_id", how="left")
    rows = rows.sort_values(["timestamp", "user_id", "item_id"], ignore_index=True)
    rows["label"] = (rows.rating >= 3.5).astype(np.int8)
    rows["genres"] = [genres if isinstance(genres, list) else [] for genres in rows.genres]
    years = rows.release_year.astype("float64") - YEAR_ORIGIN
    stars = rows.rating.astype("float64")
    out = rows[["user_id", "item_id", "rating", "timestamp", "label"]].copy()
    out["release_year"] = rows.release_year.astype("float64")
    for k in range(3):
        out[f"item_genre_{k + 1}"] = [g[k] if k < len(g) else None for g in rows.genres]
    for subject in ("item", "user"):
        count, out[f"{subject}_rating_mean"], out[f"{subject}_rating_stddev"] = moments(
            rows, f"{subject}_id", stars
        )
        out[f"{subject}_rating_count"] = count.astype(np.int32)
    _, mean, out["user_release_year_stddev"] = moments(rows, "user_id", years)
    out["user_release_year_mean"] = YEAR_ORIGIN + mean
    for k, column in enumerate(zip(*last_likes(rows), strict=True), start=1):
        out[f"user_liked_item_{k}"] = np.array(column, dtype="float64")
    for k, column in enumerate(zip(*favourite_genres(rows), strict=True), start=1):
        out[f"user_genre_{k}"] = column
    return out


def before(rows: pd.DataFrame, key: str, values: pd.DataFrame) -> pd.DataFrame:
    """Return for each row the sums of ``values`` over rows of its key at earlier seconds."""
    place = [rows[key], rows.timestamp]
    a_second = values.groupby(place).sum()
    earlier = a_second.groupby(level=0).cumsum() - a_second
    return earlier.reindex(pd.MultiIndex.from_arrays(place)).reset_index(drop=True)


def moments(rows: pd.DataFrame, key: str, values: pd.Series):
    """Return count, mean and sample deviation of the values at earlier seconds."""
    known = values.notna()
    filled = values.where(known, 0.0)
    parts = pd.DataFrame({"n": known.astype("float64"), "sum": filled, "squares": filled**2})
    n, total, squares = (before(rows, key, parts)[c] for c in parts)
    mean = total / n.where(n > 0)
    variance = (squares - total * mean).clip(lower=0) / (n - 1).where(n > 1)
    return n, mean, np.sqrt(variance)


def last_likes(rows: pd.DataFrame):
    """Yield the last five liked items at earlier seconds, newest first; ties by :func:`tie`."""
    order = pd.DataFrame({"u": rows.user_id, "t": rows.timestamp, "tie": tie(rows)})
    order = order.sort_values(["u", "t", "tie"])
    found: dict[int, list] = {}
    for _, history in order.groupby("u"):
        likes: deque = deque(maxlen=5)
        for _, second in history.groupby("t"):
            newest = list(likes)[::-1]
            for index in second.index:
                found[index] = newest + [None] * (5 - len(newest))
            likes.extend(rows.item_id[i] for i in second.index if rows.label[i])
    return (found[index] for index in rows.index)


def favourite_genres(rows: pd.DataFrame):
    """Yield the five genres with most likes at earlier seconds; equal ones by name."""
    names = sorted({genre for genres in rows.genres for genre in genres})
    hits = pd.DataFrame({g: [g in genres for genres in rows.genres] for g in names})
    likes = before(rows, "user_id", hits.mul(rows.label, axis=0).astype("float64"))
    for counts in likes.to_numpy():
        best = [names[i] for i in np.argsort(-counts, kind="stable")[:5] if counts[i] > 0]
        yield best + [None] * (5 - len(best))


def tie(rows: pd.DataFrame) -> np.ndarray:
    """Return XXH64 of (42, user, item), chained as Spark chains its columns: int64 (n,)."""
    seed = xxh64(np.full(len(rows), 42, np.uint64), np.uint64(42), n_bytes=4)
    for column in ("user_id", "item_id"):
        seed = xxh64(rows[column].to_numpy().astype(np.uint64), seed, n_bytes=8)
    return seed.view(np.int64)


def xxh64(values: np.ndarray, seed, n_bytes: int) -> np.ndarray:
    """Return the XXH64 hash (Collet, 2012) of each value as 4 or 8 bytes: uint64 (n,)."""
    p1, p2, p3, p4, p5 = (
        np.uint64(prime)
        for prime in (
            0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
            0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5,
        )
    )  # fmt: skip

    def rotate(x, bits):
        return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))

    with np.errstate(over="ignore"):
        h = values * np.uint64(0) + seed + p5 + np.uint64(n_bytes)
        if n_bytes == 8:
            h = rotate(h ^ (rotate(values * p2, 31) * p1), 27) * p1 + p4
        else:
            h = rotate(h ^ (values * p1), 23) * p2 + p3
        h = (h ^ (h >> np.uint64(33))) * p2
        h = (h ^ (h >> np.uint64(29))) * p3
        return h ^ (h >> np.uint64(32))
