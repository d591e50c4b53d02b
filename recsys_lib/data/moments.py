"""Moments in time, however they are written, as Unix seconds (UTC)."""

import re
import time
from collections import Counter
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd

from recsys_lib.data.values import Wrong, as_series, factorized, numbers_of, text_of
from recsys_lib.errors import DataError, nearest

DAY_S = 86_400
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
IN_WORDS = {
    "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "D": "days",
    "date": "dates as YYYYMMDD", "datetime": "dates as YYYYMMDDHHMMSS",
}  # fmt: skip
EARLIEST = 315_532_800  # 1980-01-01: nobody recommended anything by computer before
COUNTERS = 10**8  # seconds until March 1973: numbers below count something from the start
DAYS = (7_305, 36_525)  # from 1990 to 2069, in days since 1970
OFFSET = r"[T ]\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"  # after a time of day
DAY_AND_MONTH = re.compile(r"(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4}|\d\d)\b")
NO_MOMENT = "no moment in time"
ANCIENT = "timestamp before 1970"
FUTURE = "timestamp in the future"
# Of all numbers so many must be moments of one unit, and another unit's may be so many.
MOST, FEW = 0.5, 0.05


@cache  # a walk through hundreds of files
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class Moments:
    """How a column of moments is understood, and the reader that follows from it.

    Look at all blocks of the column with :meth:`look`, then :meth:`decide`, then :meth:`read`.

    Parameters
    ----------
    unit : str, optional
        ``s``, ``ms``, ``us``, ``ns`` or ``D`` since 1970, ``date`` (YYYYMMDD), or a format as
        ``strptime`` takes it. None finds out, and refuses what is ambiguous.
    zone : str
        The time zone of moments that name none.

    Attributes
    ----------
    notes : list of str
        What was assumed.
    """

    def __init__(self, unit: str | None = None, zone: str = "UTC"):
        if unit is not None and unit not in IN_WORDS and "%" not in unit:
            raise DataError(
                f"The unit of time must be {', '.join(IN_WORDS)} or a format such as '%d/%m/%Y', "
                f"not {unit!r}."
            )
        if zone not in _zones():
            raise DataError(
                f"There is no time zone {zone!r}.{nearest(zone, _zones())} "
                "Zones are called like Europe/Berlin."
            )
        self.unit, self._zone = unit, ZoneInfo(zone)
        self.latest = int(time.time()) + DAY_S  # clocks differ by time zones
        self.notes: list[str] = []
        self._counts: Counter = Counter()
        self._low, self._high = np.inf, -np.inf
        self._unread: tuple[str, int] | None = None

    def look(self, values, lines: np.ndarray) -> None:
        """Count what could be meant by the values of a block, whose rows lie on ``lines``."""
        if self.unit is not None:
            return
        column = as_series(values)
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            self._counts["moments"] += int(column.notna().sum())
            return
        numbers, is_number = numbers_of(values)
        found = numbers[is_number]
        if len(found):
            self._low, self._high = min(self._low, found.min()), max(self._high, found.max())
        self._counts["numbers"] += len(found)
        for unit, per_second in PER_SECOND.items():
            plausible = (found >= EARLIEST * per_second) & (found <= self.latest * per_second)
            self._counts[unit] += int(plausible.sum())
        self._counts["D"] += int(((found >= DAYS[0]) & (found <= DAYS[1])).sum())
        self._counts["counters"] += int(((found >= 0) & (found < COUNTERS)).sum())
        self._counts["since 1970"] += int(((found >= 0) & (found <= self.latest)).sum())
        self._counts["zero"] += int((found == 0).sum())
        for unit, digits in (("date", 8), ("datetime", 14)):
            self._counts[unit] += int(_dates(found, digits)[1].sum())
        others = np.flatnonzero(~is_number & column.notna().to_numpy())
        _, readable = self._from_text(column[others])
        self._counts["moments"] += int(readable.sum())
        if not readable.all() and self._unread is None:
            for place in others[~readable]:
                if str(column[place]).strip():
                    self._unread = (str(column[place]), int(lines[place]))
                    break

    def decide(self, name: str, place: str = "line") -> None:
        """Choose how numbers are read.

        Raises
        ------
        DataError
            What the column means is ambiguous, or none of it is understood; says how to say it.
        """
        counts = self._counts
        if self.unit is not None:
            return
        if not counts["numbers"]:
            if not counts["moments"] and self._unread:
                raise DataError(_unknown_format(name, place, *self._unread))
            self.unit = "s"
            return
        n = counts["numbers"]
        for unit in ("date", "datetime"):
            if counts[unit] >= MOST * n:
                self.unit = unit
                self.notes.append(f"{name}: numbers are read as {IN_WORDS[unit]}.")
                return
        ranked = sorted(PER_SECOND, key=lambda unit: -counts[unit])
        best, second = ranked[:2]
        if counts[second] > FEW * n:
            raise DataError(
                f"{name} mixes {IN_WORDS[best]} ({counts[best]:,} values) and {IN_WORDS[second]} "
                f"({counts[second]:,}): bring them to one unit."
            )
        if counts[best] >= MOST * n:
            self.unit = best
            if best != "s":
                self.notes.append(f"{name}: numbers are read as {IN_WORDS[best]} since 1970.")
            if counts["zero"]:
                self.notes.append(f"{name}: {counts['zero']:,} values are 0, which is 1970-01-01.")
            return
        low, high = _short(self._low), _short(self._high)
        if counts["D"] == n:
            raise DataError(
                f"{name} holds numbers from {low} to {high}: days since 1970, or seconds? Say "
                "which: --time-unit D for days, --time-unit s for seconds (from Python: "
                "time_unit='D')."
            )
        if counts["counters"] >= MOST * n:
            self.unit = "s"
            self.notes.append(
                f"{name} holds numbers from {low} to {high}: they give the order and are kept as "
                "seconds since 1970. If they count something else, say so: --time-unit D."
            )
        elif counts["since 1970"] >= MOST * n:
            self.unit = "s"
        else:
            raise DataError(
                f"{name} holds numbers from {low} to {high}, which are no moments between 1980 "
                "and now in seconds, milliseconds, microseconds or nanoseconds. Say what they are: "
                f"--time-unit {', '.join(IN_WORDS)} (from Python: time_unit='ms')."
            )

    def read(self, values) -> tuple[np.ndarray, list[Wrong]]:
        """Return Unix seconds, int64 (n,), and which values are none."""
        column = as_series(values)
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            seconds, fine = self._from_moments(column)
        elif "%" in (self.unit or ""):
            texts = text_of(column).str.strip()
            moments = pd.to_datetime(texts, format=self.unit, errors="coerce")
            seconds, fine = self._from_moments(moments)
        else:
            numbers, is_number = numbers_of(values)
            seconds, fine = self._from_numbers(numbers)
            fine &= is_number
            if not is_number.all():
                others = np.flatnonzero(~is_number & column.notna().to_numpy())
                seconds[others], fine[others] = self._from_text(column[others])
        return np.where(fine, seconds, 0), [
            Wrong(~fine, NO_MOMENT),
            Wrong(fine & (seconds < 0), ANCIENT),
            Wrong(fine & (seconds > self.latest), FUTURE),
        ]

    def _from_numbers(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.unit in ("date", "datetime"):
            moments, fine = _dates(numbers, 8 if self.unit == "date" else 14)
            seconds, in_zone = self._from_moments(moments)
            return seconds, fine & in_zone
        factor = DAY_S if self.unit == "D" else 1
        seconds = np.floor(numbers * factor / PER_SECOND.get(self.unit, 1))
        fine = np.abs(seconds) < 2.0**53
        return np.where(fine, seconds, 0).astype(np.int64), fine

    def _from_text(self, texts: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Read ISO 8601, also with UTC or GMT behind it; the same text is read once."""
        codes, distinct = factorized(text_of(texts).to_numpy())
        written = pd.Series(distinct, dtype=object).str.strip()
        written = written.str.replace(r"\s?(?:UTC|GMT)$", "Z", regex=True)
        written = written.str.replace(r"(:\d\d(?:\.\d+)?)\s+([+-]\d\d)", r"\1\2", regex=True)
        # pandas 2.3 hands the offset of one row on to a later row that has none: parse them apart.
        offset = written.str.contains(OFFSET, regex=True).to_numpy(dtype=bool)
        seconds = np.zeros(len(written), dtype=np.int64)
        fine = np.zeros(len(written), dtype=bool)
        for rows in (offset, ~offset):
            moments = pd.to_datetime(written[rows], errors="coerce", utc=True, format="ISO8601")
            moments = moments if rows is offset else moments.dt.tz_localize(None)
            seconds[rows], fine[rows] = self._from_moments(moments)
        return seconds[codes], fine[codes]

    def _from_moments(self, moments: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Convert datetime64; those without a zone are local to the zone that was given."""
        if moments.dt.tz is None:
            # An hour that the clocks repeat or leave out is no moment.
            moments = moments.dt.tz_localize(self._zone, ambiguous="NaT", nonexistent="NaT")
        moments = moments.dt.tz_convert("UTC").dt.tz_localize(None)
        fine = moments.notna().to_numpy()
        return moments.to_numpy("datetime64[s]").astype(np.int64), fine


def _dates(numbers: np.ndarray, digits: int) -> tuple[pd.Series, np.ndarray]:
    """Read numbers such as 20170714 or 20170714123000 as moments; also whether they are such."""
    whole = (numbers >= 10.0 ** (digits - 1)) & (numbers < 10.0**digits) & (numbers % 1 == 0)
    codes, distinct = pd.factorize(np.where(whole, numbers, 0).astype(np.int64))
    form = "%Y%m%d" if digits == 8 else "%Y%m%d%H%M%S"
    moments = pd.to_datetime(pd.Series(distinct.astype(str)), format=form, errors="coerce")
    moments = moments.where(moments.dt.year.between(1900, 2100))
    found = moments.iloc[codes].reset_index(drop=True)
    return found, found.notna().to_numpy()


def _short(number: float) -> str:
    if abs(number) >= 1e18:
        return f"{number:g}"
    return f"{int(number):,}" if number % 1 == 0 else f"{number:,.1f}"


def _unknown_format(name: str, place: str, value: str, line: int) -> str:
    hint = "a format such as --time-unit '%Y/%m/%d %H:%M'"
    if found := DAY_AND_MONTH.match(value.strip()):
        dash = found[2]
        rest = value.strip()[found.end() :].strip()
        year = "%Y" if len(found[4]) == 4 else "%y"
        clock = {0: "", 1: " %H:%M", 2: " %H:%M:%S"}.get(rest.count(":") if rest else 0, "")
        forms = [f"'%{a}{dash}%{b}{dash}{year}{clock}'" for a, b in (("m", "d"), ("d", "m"))]
        hint = f"--time-unit {forms[0]} (month first) or {forms[1]} (day first)"
    return (
        f"{name} holds {value!r} ({place} {line:,}), which is neither a number nor a date as in "
        f"ISO 8601 (2017-07-14 02:40). Say how it is written: {hint}."
    )
