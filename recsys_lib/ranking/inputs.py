"""From a table of samples to the arrays a ranking model takes: one contract for all models.

Everything is fitted on training rows alone. A category becomes an integer code, 0 for a missing
value and for one that training did not contain. A missing number is replaced by the training
mean, which is 0 once numbers are standardised.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, nearest
from recsys_lib.features.registry import FEATURES, LABEL
from recsys_lib.schema import ITEM

UNKNOWN = 0  # code of missing and of unseen values
LONGEST_BAG = 32  # of a longer list the first ones are read


class Encoded(NamedTuple):
    """Arrays of n samples.

    Attributes
    ----------
    categories : int32 array, shape (n, n_codes)
        One column a category, then one for each place of a bag, then one for each liked item.
    numbers : float32 array, shape (n, n_numbers)
    """

    categories: np.ndarray
    numbers: np.ndarray


class Field(NamedTuple):
    """What becomes one vector: a category, or the mean over a bag or over the history.

    Attributes
    ----------
    name : str
        The column; ``history`` for the liked items.
    codes : slice
        Its columns in :attr:`Encoded.categories`.
    table : int
        Row at which its vectors start in the matrix of all vectors.
    """

    name: str
    codes: slice
    table: int


@dataclass(frozen=True)
class FeatureInputs:
    """How columns are turned into arrays.

    Attributes
    ----------
    categories, numbers : tuples of str
        Columns, in the order of the arrays.
    vocabularies : dict of str to array
        Known values, sorted, by the name of the vocabulary (columns such as the genres share
        one); the value in row i has code i + 1.
    fill, shift, scale : float64 arrays, shape (n_numbers,)
        A number x, or its logarithm, goes in as ``(x - shift) / scale``; a missing one is
        ``fill`` before that.
    bags : dict of str to int
        Columns of lists, with the number of places that are read of each.
    history : tuple of str
        Columns of liked items, latest first.
    log_numbers : tuple of str
        Numbers that go in as ``sign(x) log(1 + |x|)``.
    """

    categories: tuple[str, ...]
    numbers: tuple[str, ...]
    vocabularies: Mapping[str, np.ndarray]
    fill: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    bags: Mapping[str, int]
    history: tuple[str, ...]
    log_numbers: tuple[str, ...]

    @classmethod
    def fit(
        cls,
        train: pd.DataFrame | Iterable[pd.DataFrame],
        categories: Sequence[str],
        numbers: Sequence[str],
        standardize: bool,
        bags: Sequence[str] = (),
        history: Sequence[str] = (),
        log_numbers: Sequence[str] = (),
    ) -> "FeatureInputs":
        """Learn vocabularies and statistics from training rows, read once.

        Parameters
        ----------
        train : DataFrame, or an iterable of them
            Parts of samples that need not fit in memory together.
        categories, numbers, standardize, bags, history, log_numbers
            As in :class:`recsys_lib.ranking.RankingConfig`.

        Raises
        ------
        DataError
            There is no row, a column is missing, a category mixes numbers and text or holds
            neither, or a bag holds no lists.
        """
        known: dict[str, np.ndarray] = {}
        longest = dict.fromkeys(bags, 1)
        moments = _Moments(len(numbers))
        n_rows = 0
        for frame in [train] if isinstance(train, pd.DataFrame) else train:
            if frame.empty:
                continue
            n_rows += len(frame)
            _check_columns(frame, (*categories, *numbers, *bags, *history))
            for column in (*categories, *bags):
                values = _lists(frame, column).explode() if column in bags else frame[column]
                name = vocabulary_of(column)
                known[name] = _merged(
                    column, known.get(name), _known_values(values.drop_duplicates())
                )
            for column in bags:
                lengths = frame[column].map(len, na_action="ignore")
                longest[column] = int(max(longest[column], min(lengths.max(), LONGEST_BAG)))
            moments.add(_as_numbers(frame, numbers, log_numbers))
        if not n_rows:
            raise DataError("There is no training sample to learn the inputs from.")
        mean, deviation = moments.mean(), moments.deviation()
        if not standardize:
            shift, scale = np.zeros(len(numbers)), np.ones(len(numbers))
        else:
            shift, scale = mean, np.where(deviation > 0, deviation, 1.0)
        return cls(
            tuple(categories),
            tuple(numbers),
            known,
            mean,
            shift,
            scale,
            bags=longest,
            history=tuple(history),
            log_numbers=tuple(c for c in numbers if c in log_numbers),
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each category and bag, the unknown one included."""
        return tuple(
            len(self.vocabularies[vocabulary_of(c)]) + 1 for c in (*self.categories, *self.bags)
        )

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """What becomes a vector, in order."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)]).tolist()
        found, at = [], 0
        widths = [(c, 1) for c in self.categories] + list(self.bags.items())
        for (name, width), start in zip(widths, starts, strict=False):
            found.append(Field(name, slice(at, at + width), start))
            at += width
        if self.history:
            table = starts[self.categories.index(ITEM)]
            found.append(Field("history", slice(at, at + len(self.history)), table))
        return tuple(found)

    @cached_property
    def offsets(self) -> np.ndarray:
        """Row at which the vectors of each column of codes start: int32, (n_codes,)."""
        return np.concatenate(
            [np.full(f.codes.stop - f.codes.start, f.table, np.int32) for f in self.fields]
            or [np.empty(0, np.int32)]
        )

    def encode(self, frame: pd.DataFrame) -> Encoded:
        """Turn rows into arrays; values training did not contain become unknown.

        Raises
        ------
        DataError
            A column is missing, or holds infinite numbers.
        """
        parts = [self.encode_categories(frame, self.categories)]
        parts += [self._encode_bag(frame, column) for column in self.bags]
        if self.history:
            _check_columns(frame, self.history)
            parts += [self._codes(frame[c], ITEM)[:, None] for c in self.history]
        codes = np.hstack(parts).astype(np.int32, copy=False)
        return Encoded(codes, self.encode_numbers(frame, self.numbers))

    def encode_one(self, values: Mapping) -> Encoded:
        """Turn one row into arrays of length 1, as :meth:`encode` does, a hundred times faster.

        For requests: a table of one row costs milliseconds. Columns that are not in ``values``
        count as missing; wrong types are not looked for.
        """
        codes = [self._code(column, values.get(column)) for column in self.categories]
        for column, width in self.bags.items():
            value = values.get(column)
            places = list(value)[:width] if pd.api.types.is_list_like(value) else []
            codes += [self._code(column, each) for each in places] + [0] * (width - len(places))
        codes += [self._code(ITEM, values.get(column)) for column in self.history]
        given = (values.get(column) for column in self.numbers)
        row = np.array([np.nan if v is None or v is pd.NA else v for v in given], np.float64)
        if self.log_numbers:
            logs = np.isin(self.numbers, self.log_numbers)
            row[logs] = np.sign(row[logs]) * np.log1p(np.abs(row[logs]))
        row = np.where(np.isnan(row), self.fill, row)
        numbers = ((row - self.shift) / self.scale).astype(np.float32)
        return Encoded(np.array([codes], np.int32), numbers[None])

    def _code(self, column: str, value) -> int:
        return 0 if value is pd.NA else self._code_of[vocabulary_of(column)].get(value, UNKNOWN)

    @cached_property
    def _code_of(self) -> dict[str, dict]:
        """The vocabularies as dictionaries from value to code."""
        return {
            name: {value: code for code, value in enumerate(values.tolist(), start=1)}
            for name, values in self.vocabularies.items()
        }

    def encode_categories(self, frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
        """Return the codes of some categorical columns: int32, (n, len(columns))."""
        _check_columns(frame, columns)
        codes = np.empty((len(frame), len(columns)), dtype=np.int32)
        for place, column in enumerate(columns):
            codes[:, place] = self._codes(frame[column], column)
        return codes

    def _encode_bag(self, frame: pd.DataFrame, column: str) -> np.ndarray:
        _check_columns(frame, [column])
        width = self.bags[column]
        lists = _lists(frame, column).reset_index(drop=True)
        values = lists.map(lambda x: x[:width], na_action="ignore").explode()
        row = values.index.to_numpy()
        place = values.groupby(level=0).cumcount().to_numpy()
        codes = np.zeros((len(frame), width), np.int32)
        codes[row, place] = self._codes(values, column)
        return codes

    def _codes(self, values: pd.Series, column: str) -> np.ndarray:
        if pd.api.types.is_bool_dtype(values.dtype):  # which pandas finds equal to no number
            values = values.astype("Int8")
        known = self._indexes[vocabulary_of(column)]
        codes = known.get_indexer(values) + 1
        if not codes.any() and len(known):  # rarely so: then it may be a wrong type
            _check_kind(column, _known_values(values), known.to_numpy())
        return codes

    @cached_property
    def _indexes(self) -> dict[str, pd.Index]:
        """The vocabularies as hash tables, built once."""
        return {name: pd.Index(values) for name, values in self.vocabularies.items()}

    def encode_numbers(self, frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
        """Return some numeric columns, filled and scaled: float32, (n, len(columns))."""
        _check_columns(frame, columns)
        place = [self.numbers.index(column) for column in columns]
        values = _as_numbers(frame, columns, self.log_numbers)
        values = np.where(np.isnan(values), self.fill[place], values)
        return ((values - self.shift[place]) / self.scale[place]).astype(np.float32)


class _Moments:
    """Mean and deviation of columns from parts; sums are taken around the first part's mean."""

    def __init__(self, n_columns: int):
        self.n, self.total, self.squares = np.zeros((3, n_columns))
        self.origin: np.ndarray | None = None

    def add(self, values: np.ndarray) -> None:
        there = ~np.isnan(values)
        if self.origin is None:
            self.origin = np.nansum(values, axis=0) / np.maximum(there.sum(axis=0), 1)
        apart = np.where(there, values - self.origin, 0)
        self.n += there.sum(axis=0)
        self.total += apart.sum(axis=0)
        self.squares += np.square(apart).sum(axis=0)

    def mean(self) -> np.ndarray:
        return self.origin + self.total / np.maximum(self.n, 1)

    def deviation(self) -> np.ndarray:
        n = np.maximum(self.n, 1)
        return np.sqrt(np.maximum(self.squares / n - np.square(self.total / n), 0))


def labels_of(frame: pd.DataFrame) -> np.ndarray:
    """Return the labels of samples: float32, (n,), 1 for a like.

    Raises
    ------
    DataError
        A label is neither 0 nor 1, or all are the same: nothing can be learned or judged.
    """
    labels = zeros_and_ones(frame)
    check_classes(labels.sum(), len(labels))
    return labels


def zeros_and_ones(frame: pd.DataFrame) -> np.ndarray:
    """Return the labels of a part of the samples, which may be of one class: float32, (n,)."""
    _check_columns(frame, [LABEL])
    labels = pd.to_numeric(frame[LABEL], errors="coerce").to_numpy(np.float32, na_value=np.nan)
    if not np.isin(labels, (0, 1)).all():
        wrong = frame[LABEL][~np.isin(labels, (0, 1))].iloc[0]
        raise DataError(f"Labels must be 0 or 1; one is {wrong!r}.")
    return labels


def check_classes(n_likes: float, n: int) -> None:
    """Refuse labels that are all the same."""
    if n_likes in (0, n):
        raise DataError(
            f"All {n} samples have the same label"
            + (f", {n_likes / n:.0f}" if n else "")
            + ": a ranking model needs likes and dislikes."
        )


def vocabulary_of(column: str) -> str:
    """Return the name of the vocabulary that a categorical column draws from.

    A column that the registry doesn't know, or knows as a number, has one of its own.
    """
    feature = FEATURES.get(column)
    return column if feature is None or feature.vocabulary is None else feature.vocabulary


def _check_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"The samples lack the columns {', '.join(missing)}."
            f"{nearest(missing[0], map(str, frame.columns))}"
        )


def _lists(frame: pd.DataFrame, column: str) -> pd.Series:
    lists = frame[column]
    for wrong in lists[~lists.map(pd.api.types.is_list_like).astype(bool)].dropna():
        raise DataError(f"Column {column} is to hold lists; it holds {wrong!r}.")
    return lists


def _known_values(column: pd.Series) -> np.ndarray:
    # Numbers may lie in objects, as in an exploded list, or in a pandas category.
    values = pd.Series(np.asarray(column.dropna()), name=column.name).infer_objects()
    if pd.api.types.is_float_dtype(values.dtype):  # ids beside missing ones
        if not (values == values.round()).all():
            wrong = values[values != values.round()].iloc[0]
            raise DataError(f"Column {column.name} holds {wrong}: a category is no fraction.")
        return values.to_numpy(np.int64)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(np.int64)
    if (found := pd.api.types.infer_dtype(values)) not in ("string", "empty"):
        raise DataError(
            f"Column {column.name} holds values of type {found}: a category is text, "
            "or a whole number."
        )
    return values.to_numpy(np.str_)


def _merged(column: str, known: np.ndarray | None, found: np.ndarray) -> np.ndarray:
    parts = [part for part in (known, found) if part is not None and len(part)]
    if len(parts) == 2:
        _check_kind(column, found, known)
    return np.sort(pd.unique(np.concatenate(parts or [found])))


def _check_kind(column: str, values: np.ndarray, known: np.ndarray) -> None:
    """Refuse texts where training had numbers, and numbers where it had texts."""
    if len(values) and len(known) and (values.dtype.kind == "i") != (known.dtype.kind == "i"):
        kinds = ["texts" if each.dtype.kind != "i" else "whole numbers" for each in (values, known)]
        raise DataError(
            f"Column {column} holds {kinds[0]}, such as {values[0]!r}, where others of its kind "
            f"hold {kinds[1]}."
        )


def _as_numbers(
    frame: pd.DataFrame, columns: Sequence[str], log_numbers: Sequence[str]
) -> np.ndarray:
    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        try:
            values[:, place] = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise DataError(f"Column {column} is no column of numbers: {error}.") from None
        if np.isinf(values[:, place]).any():
            raise DataError(f"Column {column} holds infinite values; missing is written as null.")
        if column in log_numbers:
            values[:, place] = np.sign(values[:, place]) * np.log1p(np.abs(values[:, place]))
    return values
