"""Judging rows of text: what is kept, and what is set aside for which reason."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys_lib.data.catalog import RatingScale

KEPT = 0
REASONS = (
    "kept",
    "malformed",  # a field is missing or is no number
    "rating out of range",
    "timestamp out of range",  # before 1970 or later than tomorrow
    "orphan user",  # not in the source's table of users
    "orphan item",
    "duplicate",  # same user, item and timestamp as an earlier line
)
CODE = {reason: code for code, reason in enumerate(REASONS)}
DAY_S = 86_400
LARGEST_EXACT = 2**53  # whole numbers beyond it lose digits as float64


def whole_numbers(text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return (int64 (n,), bool (n,) whether the text was a whole number)."""
    try:
        values = pc.cast(text, pa.int64()).to_numpy(zero_copy_only=False)
        return values, np.ones(len(values), dtype=bool)
    except pa.ArrowInvalid:
        values, fine = numbers(text)
        fine &= (values == np.floor(values)) & (np.abs(values) < LARGEST_EXACT)
        return np.where(fine, values, 0).astype(np.int64), fine


def numbers(text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return (float64 (n,), bool (n,) whether the text was a finite number)."""
    try:
        values = pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        values = pd.to_numeric(text.to_pandas(), errors="coerce").to_numpy(np.float64)
    fine = np.isfinite(values)
    return np.where(fine, values, 0.0), fine


def timestamps(text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return (Unix seconds int64 (n,), bool (n,) whether readable).

    Text that is no number is read as ISO 8601; without an offset it means UTC.
    """
    seconds, fine = numbers(text)
    fine &= np.abs(seconds) < LARGEST_EXACT
    whole = np.where(fine, np.floor(seconds), 0).astype(np.int64)
    left = pd.Series(text.to_pandas(), dtype=object)[~fine]
    # pandas 2.3 hands the offset of one row on to a later row that has none: parse them apart.
    with_offset = left.str.contains(r"(?:Z|[+-]\d\d:?\d\d)\s*$", regex=True).astype(bool)
    for part in (left[with_offset], left[~with_offset]):
        moments = pd.to_datetime(part, errors="coerce", utc=True, format="ISO8601").dropna()
        places = moments.index.to_numpy()
        parsed = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[s]")
        whole[places] = parsed.astype(np.int64)
        fine[places] = True
    return whole, fine


@dataclass(frozen=True)
class Rules:
    """What a row must satisfy; None means that the source does not say.

    ``users`` and ``items`` are the ids (int64) of the source's own tables; ``latest`` is the last
    plausible moment in Unix seconds.
    """

    scale: RatingScale | None
    users: np.ndarray | None
    items: np.ndarray | None
    latest: int

    @classmethod
    def now(cls, scale=None, users=None, items=None) -> "Rules":
        """Return rules whose latest moment is tomorrow (clocks differ by time zones)."""
        return cls(scale, users, items, int(time.time()) + DAY_S)


def judge(
    user_id: np.ndarray,
    item_id: np.ndarray,
    rating: np.ndarray,
    timestamp: np.ndarray,
    readable: np.ndarray,
    rules: Rules,
) -> np.ndarray:
    """Return the code of each row's verdict in ``REASONS``, uint8 (n,); the first reason counts.

    Duplicates are found later, where rows meet in order (``sorted_runs``).
    """
    verdict = np.zeros(len(user_id), dtype=np.uint8)

    def set_aside(wrong: np.ndarray, reason: str) -> None:
        verdict[(verdict == KEPT) & wrong] = CODE[reason]

    set_aside(~readable, "malformed")
    if rules.scale is not None:
        steps = rating / rules.scale.step
        outside = (rating < rules.scale.low) | (rating > rules.scale.high)
        set_aside(outside | (np.abs(steps - np.round(steps)) > 1e-6), "rating out of range")
    set_aside((timestamp <= 0) | (timestamp > rules.latest), "timestamp out of range")
    if rules.users is not None:
        set_aside(~np.isin(user_id, rules.users), "orphan user")
    if rules.items is not None:
        set_aside(~np.isin(item_id, rules.items), "orphan item")
    return verdict
