"""From a table of samples to the arrays that every ranking model takes.

Everything is fitted on training rows alone. A category becomes an integer code, which is 0 for a
missing value and for a value that the training rows did not contain. A missing number is replaced
by the mean of the training rows, which is 0 once numbers are standardised.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys_lib.data.ids import Ids
from recsys_lib.errors import DataError
from recsys_lib.features.registry import FEATURES
from recsys_lib.ranking.columns import (
    Moments,
    array_kind,
    as_numbers,
    categories_of,
    codes_of_categories,
    holds_lists,
    lists_of,
    pack,
    require_columns,
    unpack,
)
from recsys_lib.ranking.config import HISTORY_FIELD
from recsys_lib.schema import ITEM

VOCABULARY = "vocabulary/"  # before the name of a vocabulary among stored arrays
LONGEST_BAG = 32  # members of a list that are read; further ones are left out


class Encoded(NamedTuple):
    """Arrays of n samples.

    Attributes
    ----------
    categories : int32 array, shape (n, n_codes)
        One column for each category, then one for each place of a bag, then one for each place
        of the history.
    numbers : float32 array, shape (n, n_numbers)
    """

    categories: np.ndarray
    numbers: np.ndarray


class Field(NamedTuple):
    """What becomes one vector: a category, or the mean over a bag or over the history.

    Attributes
    ----------
    name : str
        Name of the column, or ``history`` for the liked items.
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
        Known values in sorted order, by the name of the vocabulary. The value in row i has the
        code i + 1. Some columns, such as those of the genres, share a vocabulary.
    fill, shift, scale : float64 arrays, shape (n_numbers,)
        A missing number is replaced by ``fill``; a number x, or its logarithm, then becomes
        ``(x - shift) / scale``.
    bags : dict of str to int
        Columns of lists, with the number of places that are read of each list.
    history : dict of str to int or None
        Columns of liked items, the latest like first. None stands for a column with one item,
        a number for a column of lists of which so many places are read.
    log_numbers : tuple of str
        Numbers that are replaced by ``sign(x) log(1 + |x|)``.
    """

    categories: tuple[str, ...]
    numbers: tuple[str, ...]
    vocabularies: Mapping[str, np.ndarray]
    fill: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    bags: Mapping[str, int]
    history: Mapping[str, int | None]
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
        longest_history: int = 50,
    ) -> "FeatureInputs":
        """Learn vocabularies and statistics from training rows, which are read once.

        Parameters
        ----------
        train : DataFrame, or an iterable of them
            Pieces of samples that need not fit in memory together.
        categories, numbers, standardize, bags, history, log_numbers, longest_history
            As in :class:`recsys_lib.ranking.RankingConfig`.

        Raises
        ------
        DataError
            There is no row, a column is missing, a category mixes numbers and text or holds
            neither, or a column of lists holds something else.
        """
        known: dict[str, Ids] = {}
        widths = dict.fromkeys(bags, 1)
        moments = Moments(len(numbers))
        n_rows = 0
        for frame in [train] if isinstance(train, pd.DataFrame) else train:
            if frame.empty:
                continue
            n_rows += len(frame)
            require_columns(frame, (*categories, *numbers, *bags, *history))
            for column in (*categories, *bags):
                values = lists_of(frame, column).explode() if column in bags else frame[column]
                name = vocabulary_of(column)
                found = categories_of(values)
                known[name] = known[name].union(found) if name in known else found
            of_lists = dict.fromkeys(bags, LONGEST_BAG)
            of_lists |= {c: longest_history for c in history if holds_lists(frame[c])}
            for column, most in of_lists.items():
                longest = lists_of(frame, column).map(len, na_action="ignore").max()
                widths[column] = int(max(widths.get(column, 1), min(longest, most)))
            moments.add(as_numbers(frame, numbers, log_numbers))
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
            {name: ids.values for name, ids in known.items()},
            mean,
            shift,
            scale,
            bags={column: widths[column] for column in bags},
            history={column: widths.get(column) for column in history},
            log_numbers=tuple(c for c in numbers if c in log_numbers),
        )

    def to_parts(self) -> tuple[dict[str, np.ndarray], dict]:
        """Return arrays for an ``.npz`` file, and what JSON keeps; see :meth:`from_parts`."""
        vocabularies = {VOCABULARY + n: pack(values) for n, values in self.vocabularies.items()}
        arrays = {"fill": self.fill, "shift": self.shift, "scale": self.scale, **vocabularies}
        plain = ("categories", "numbers", "bags", "history", "log_numbers")
        return arrays, {name: getattr(self, name) for name in plain}

    @classmethod
    def from_parts(cls, arrays: Mapping[str, np.ndarray], described: Mapping) -> "FeatureInputs":
        """Put together what :meth:`to_parts` has taken apart; ``described`` may hold more."""
        packed = {n: array for n, array in arrays.items() if n.startswith(VOCABULARY)}
        return cls(
            tuple(described["categories"]),
            tuple(described["numbers"]),
            {name.removeprefix(VOCABULARY): unpack(values) for name, values in packed.items()},
            arrays["fill"],
            arrays["shift"],
            arrays["scale"],
            bags=described["bags"],
            history=described["history"],
            log_numbers=tuple(described["log_numbers"]),
        )

    @property
    def columns(self) -> list[str]:
        """All columns of the samples that are read."""
        return [*self.categories, *self.numbers, *self.bags, *self.history]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each category and bag, the unknown one included."""
        return tuple(
            len(self.vocabularies[vocabulary_of(c)]) + 1 for c in (*self.categories, *self.bags)
        )

    @property
    def coded_columns(self) -> list[tuple[str, str, int | None]]:
        """Columns that become codes, in order: name, vocabulary, and number of places of a list.

        The number of places is None for a column that does not hold lists.
        """
        return [
            *((column, vocabulary_of(column), None) for column in self.categories),
            *((column, vocabulary_of(column), width) for column, width in self.bags.items()),
            *((column, vocabulary_of(ITEM), width) for column, width in self.history.items()),
        ]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields, in the order of the codes."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)]).tolist()
        found, at = [], 0
        widths = [(c, 1) for c in self.categories] + list(self.bags.items())
        for (name, width), start in zip(widths, starts, strict=False):
            found.append(Field(name, slice(at, at + width), start))
            at += width
        if self.history:
            table = starts[self.categories.index(ITEM)]
            length = sum(width or 1 for width in self.history.values())
            found.append(Field(HISTORY_FIELD, slice(at, at + length), table))
        return tuple(found)

    @cached_property
    def offsets(self) -> np.ndarray:
        """Row at which the vectors of each column of codes start: int32, (n_codes,)."""
        return np.concatenate(
            [np.full(f.codes.stop - f.codes.start, f.table, np.int32) for f in self.fields]
            or [np.empty(0, np.int32)]
        )

    @property
    def n_weights(self) -> int:
        """Number of weights where each code has one, and liked items have their own."""
        return sum(self.sizes) + (self.sizes[self.categories.index(ITEM)] if self.history else 0)

    @cached_property
    def weight_offsets(self) -> np.ndarray:
        """Row at which the weights of each column of codes start: int32, (n_codes,).

        As :attr:`offsets`, except that liked items have weights of their own, below all others:
        that a film was liked says something else than that it is the candidate.
        """
        offsets = self.offsets.copy()
        if self.history:
            offsets[self.fields[-1].codes] = sum(self.sizes)
        return offsets

    def encode(self, frame: pd.DataFrame) -> Encoded:
        """Turn rows into arrays; values that training did not contain become unknown.

        Raises
        ------
        DataError
            A column is missing, holds values of another type, or infinite numbers.
        """
        require_columns(frame, self.columns)
        blocks = []  # (n, width) each
        for column, vocabulary, width in self.coded_columns:
            if width is None:
                blocks.append(self._codes(frame[column], vocabulary)[:, None])
            else:
                blocks.append(self._codes_of_lists(frame, column, vocabulary, width))
        return Encoded(np.hstack(blocks), self.encode_numbers(frame, self.numbers))

    def encode_one(self, values: Mapping) -> Encoded:
        """Turn one row into arrays of length 1, as :meth:`encode` does, a hundred times faster.

        For requests: a table of one row costs milliseconds. Columns that are not in ``values``
        count as missing; wrong types are not looked for.
        """
        codes: list[int] = []
        for column, vocabulary, width in self.coded_columns:
            known, value = self._code_of[vocabulary], values.get(column)
            if width is None:
                codes.append(_code(known, value))
            else:
                places = list(value)[:width] if pd.api.types.is_list_like(value) else []
                codes += [_code(known, each) for each in places] + [0] * (width - len(places))
        given = (values.get(column) for column in self.numbers)
        row = np.array([np.nan if v is None or v is pd.NA else v for v in given], np.float64)
        if self.log_numbers:
            logs = np.isin(self.numbers, self.log_numbers)
            row[logs] = np.sign(row[logs]) * np.log1p(np.abs(row[logs]))
        row = np.where(np.isnan(row), self.fill, row)
        numbers = ((row - self.shift) / self.scale).astype(np.float32)
        return Encoded(np.array([codes], np.int32), numbers[None])

    @cached_property
    def _code_of(self) -> dict[str, dict]:
        """The vocabularies as dictionaries from value to code."""
        return {
            name: {value: code for code, value in enumerate(values.tolist(), start=1)}
            for name, values in self.vocabularies.items()
        }

    def encode_categories(self, frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
        """Return the codes of some categorical columns: int32, (n, len(columns))."""
        require_columns(frame, columns)
        codes = np.empty((len(frame), len(columns)), dtype=np.int32)
        for place, column in enumerate(columns):
            codes[:, place] = self._codes(frame[column], vocabulary_of(column))
        return codes

    def _codes_of_lists(
        self, frame: pd.DataFrame, column: str, vocabulary: str, width: int
    ) -> np.ndarray:
        """Return the codes of the first ``width`` members of each list: int32, (n, width)."""
        lists = lists_of(frame, column).reset_index(drop=True)
        values = lists.map(lambda x: x[:width], na_action="ignore").explode()
        row = values.index.to_numpy()
        place = values.groupby(level=0).cumcount().to_numpy()
        codes = np.zeros((len(frame), width), np.int32)
        codes[row, place] = self._codes(values, vocabulary)
        return codes

    def _codes(self, values: pd.Series, vocabulary: str) -> np.ndarray:
        """Return the code of each value, 0 where the vocabulary does not contain it."""
        return (codes_of_categories(self._ids[vocabulary], values) + 1).astype(np.int32)

    @cached_property
    def _ids(self) -> dict[str, Ids]:
        """The vocabularies with their hash tables, built once."""
        kinds = {name: array_kind(values) for name, values in self.vocabularies.items()}
        return {name: Ids(kinds[name], values) for name, values in self.vocabularies.items()}

    def encode_numbers(self, frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
        """Return some numeric columns, filled and scaled: float32, (n, len(columns))."""
        require_columns(frame, columns)
        place = [self.numbers.index(column) for column in columns]
        values = as_numbers(frame, columns, self.log_numbers)
        values = np.where(np.isnan(values), self.fill[place], values)
        return ((values - self.shift[place]) / self.scale[place]).astype(np.float32)


def _code(known: Mapping, value) -> int:
    return 0 if value is pd.NA else known.get(value, 0)


def vocabulary_of(column: str) -> str:
    """Return the name of the vocabulary that a categorical column draws from.

    A column that the registry of features does not know, or knows as a number, has one of its own.
    """
    feature = FEATURES.get(column)
    return column if feature is None or feature.vocabulary is None else feature.vocabulary
