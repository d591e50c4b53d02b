"""Ratings on any scale, as stars."""

import re

import numpy as np
import pandas as pd

from recsys_lib.data.values import Wrong, as_series, numbers_of, text_of
from recsys_lib.errors import DataError
from recsys_lib.schema import LIKE_THRESHOLD

NO_NUMBER = "no number"
OUT_OF_RANGE = "rating out of range"
FEWEST, MOST = 0.5, 5.0  # stars at the ends of a scale
LARGEST = float(np.finfo(np.float32).max)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")


class Ratings:
    """How a column of ratings is understood, and the reader that follows from it.

    Look at all blocks of the column with :meth:`look`, then :meth:`decide`, then :meth:`read`.

    With a scale or a threshold, ratings become stars: the low end 0.5, the threshold of a like 3.5,
    the high end 5, in a straight line between them. So what the library calls a like (3.5 stars)
    is what the person calls one. Without either, ratings stay as they are.

    Parameters
    ----------
    decimal : {".", ","}, optional
        What stands before the fraction. None finds out, and refuses what is ambiguous.
    scale : (float, float), optional
        The lowest and the highest rating; others are out of range.
    like : float, optional
        The lowest rating that is a like, on the person's scale. By default a third of the way
        down from the top, as 3.5 is on the scale from 0.5 to 5.

    Attributes
    ----------
    notes : list of str
        What was assumed, and what the ratings look like.
    """

    def __init__(
        self,
        decimal: str | None = None,
        scale: tuple[float, float] | None = None,
        like: float | None = None,
    ):
        if decimal not in (None, ".", ","):
            raise DataError(f"The decimal mark must be '.' or ',', not {decimal!r}.")
        if scale is not None and not (np.isfinite(scale).all() and scale[0] < scale[1]):
            raise DataError(f"A scale runs from a low number to a higher one, not {scale!r}.")
        if like is not None and not np.isfinite(like):
            raise DataError(f"The threshold of a like must be a number, not {like!r}.")
        if scale is not None and like is not None and not scale[0] <= like <= scale[1]:
            raise DataError(f"The threshold of a like, {like:g}, lies outside the scale {scale!r}.")
        self.decimal, self.scale, self.like = decimal, scale, like
        self.notes: list[str] = []
        self._low, self._high, self._n = np.inf, -np.inf, 0
        self._values = np.empty(0)
        self._counts = {"comma": 0, "thousands": 0, "point": 0}
        self._words: dict[str, int] = {}

    def look(self, values, lines: np.ndarray) -> None:
        """Note what the values of a block look like, whose rows lie on ``lines``."""
        numbers, is_number = self._numbers(values, self.decimal or ".")
        if not is_number.all():
            rest = text_of(values)[~is_number].str.strip()
            rest = rest[rest != ""]
            comma = rest.map(lambda each: DECIMAL_COMMA.fullmatch(each) is not None).astype(bool)
            self._counts["comma"] += int(comma.sum())
            many = rest[comma].map(lambda each: THOUSANDS.fullmatch(each) is not None)
            self._counts["thousands"] += int(many.sum())
            for place, word in rest[~comma].drop_duplicates().iloc[:5].items():
                self._words.setdefault(word, int(lines[place]))
            with_comma = pd.to_numeric(rest[comma].str.replace(",", "."), errors="coerce")
            self._add(with_comma.dropna().to_numpy(float))
        found = numbers[is_number]
        self._counts["point"] += int((found % 1 != 0).sum())
        self._add(found)

    def _add(self, found: np.ndarray) -> None:
        if len(found):
            self._n += len(found)
            self._low, self._high = min(self._low, found.min()), max(self._high, found.max())
            if len(self._values) <= 1_000:
                self._values = np.unique(np.concatenate([self._values, found]))

    def decide(self, name: str, place: str = "line") -> None:
        """Choose the decimal mark and say what the ratings look like.

        Raises
        ------
        DataError
            No value is a number, or a comma may stand for a fraction or for thousands.
        """
        commas = self._counts["comma"]
        if self.decimal is None and commas and not self._counts["point"]:
            if self._counts["thousands"]:
                raise DataError(
                    f"{name} holds numbers such as 1,234: a fraction, or thousands? Say which: "
                    "--decimal , for a fraction, --decimal . for thousands, which are then set "
                    "aside (from Python: decimal=',')."
                )
            self.decimal = ","
            self.notes.append(f"{name}: the comma stands before the fraction.")
        self.decimal = self.decimal or "."
        if not self._n:
            if self._words:
                shown = ", ".join(repr(word) for word in list(self._words)[:3])
                line = next(iter(self._words.values()))
                raise DataError(
                    f"{name} holds no number but {shown} ({place} {line:,}). If a row says that "
                    "something happened, leave the rating out: then every row is a like."
                )
            return
        if self.like is not None and self.scale is None:
            if not self._low <= self.like <= self._high:
                raise DataError(
                    f"{name} runs from {self._low:g} to {self._high:g}; a threshold of "
                    f"{self.like:g} lies outside."
                )
            self.scale = (float(self._low), float(self._high))
        self.notes += self._in_words(name)

    def read(self, values) -> tuple[np.ndarray, list[Wrong]]:
        """Return stars, float64 (n,), and which values are no ratings."""
        numbers, is_number = self._numbers(values, self.decimal)
        is_number &= np.abs(numbers) <= LARGEST
        numbers = np.where(is_number, numbers, 0.0)
        if self.scale is None:
            return numbers, [Wrong(~is_number, NO_NUMBER)]
        outside = (numbers < self.scale[0]) | (numbers > self.scale[1])
        return self.stars(numbers), [Wrong(~is_number, NO_NUMBER), Wrong(outside, OUT_OF_RANGE)]

    @property
    def threshold(self) -> float:
        """The lowest rating that is a like, on the person's scale."""
        if self.like is not None or self.scale is None:
            return LIKE_THRESHOLD if self.like is None else self.like
        low, high = self.scale
        return low + (LIKE_THRESHOLD - FEWEST) / (MOST - FEWEST) * (high - low)

    def stars(self, ratings: np.ndarray) -> np.ndarray:
        """Return ratings on the person's scale as stars: float64 (n,)."""
        low, high = self.scale
        ends = {low: FEWEST, high: MOST, self.threshold: LIKE_THRESHOLD}
        places = sorted(ends)
        stars = np.interp(ratings, places, [ends[place] for place in places])
        # Stars are kept in single precision, which must not lift a rating over the threshold.
        below = np.nextafter(np.float32(LIKE_THRESHOLD), np.float32(0))
        return np.where(ratings < self.threshold, np.minimum(stars, below), stars)

    def _numbers(self, values, decimal: str) -> tuple[np.ndarray, np.ndarray]:
        if decimal == ",":
            column = as_series(values)
            if column.dtype == object:
                texts = column.map(lambda each: isinstance(each, str)).astype(bool)
                changed = column[texts].str.replace(".", " ", regex=False)
                column[texts] = changed.str.replace(",", ".", regex=False)
                values = column
        return numbers_of(values)

    def _in_words(self, name: str) -> list[str]:
        low, high, distinct = self._low, self._high, len(self._values)
        kinds = f"{distinct} different" if distinct <= 1_000 else "many different"
        values = f"runs from {low:g} to {high:g} ({kinds} values)"
        if low == high:
            values = f"is {low:g} everywhere"
        notes = [f"{name} {values}; {self.threshold:g} and more is a like."]
        if self.scale is not None:
            return notes
        if low == high:
            notes.append(
                "Equal ratings do not tell likes from dislikes. If a row only says that something "
                f"happened, leave the rating out; or say --like {low:g}."
            )
        elif high > MOST:
            top = next((each for each in (10, 100) if high <= each), None)
            scale = f"--scale {int(low != 0)}:{top} for ratings up to {top}, or " if top else ""
            notes.append(
                f"That is no scale of five stars. Say what it means: {scale}--like N for counts "
                "of which N and more are a like."
            )
        elif high < LIKE_THRESHOLD:
            notes.append(f"So no row is a like. Say from where on it is one: --like {high:g}.")
        elif low >= LIKE_THRESHOLD:
            notes.append("So every row is a like.")
        return notes
