"""From a table of samples to the arrays a ranking model takes: one contract for all models.

Everything is fitted on training rows alone. A category becomes an integer code, 0 for a missing
value and for one that training did not contain. A missing number is replaced by the training
mean, which is 0 once numbers are standardised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, nearest
from recsys_lib.features.columns import FEATURES, LABEL

UNKNOWN = 0  # code of missing and of unseen values


class Encoded(NamedTuple):
    """Arrays of n samples.

    Attributes
    ----------
    categories : int32 array, shape (n, n_categories)
    numbers : float32 array, shape (n, n_numbers)
    """

    categories: np.ndarray
    numbers: np.ndarray


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
        A number x goes in as ``(x - shift) / scale``; a missing one is ``fill`` before that.
    """

    categories: tuple[str, ...]
    numbers: tuple[str, ...]
    vocabularies: Mapping[str, np.ndarray]
    fill: np.ndarray
    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(
        cls,
        train: pd.DataFrame,
        categories: Sequence[str],
        numbers: Sequence[str],
        standardize: bool,
    ) -> "FeatureInputs":
        """Learn vocabularies and statistics from training rows.

        Raises
        ------
        DataError
            There is no row, or a column is missing.
        """
        if train.empty:
            raise DataError("There is no training sample to learn the inputs from.")
        _check_columns(train, (*categories, *numbers))
        columns_of: dict[str, list[str]] = {}
        for column in categories:
            columns_of.setdefault(vocabulary_of(column), []).append(column)
        vocabularies = {
            name: np.unique(np.concatenate([_known_values(train[c]) for c in columns]))
            for name, columns in columns_of.items()
        }
        values = _as_numbers(train, numbers)
        counted = np.maximum((~np.isnan(values)).sum(axis=0), 1)
        mean = np.nansum(values, axis=0) / counted
        deviation = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / counted)
        if not standardize:
            shift, scale = np.zeros(len(numbers)), np.ones(len(numbers))
        else:
            shift, scale = mean, np.where(deviation > 0, deviation, 1.0)
        return cls(tuple(categories), tuple(numbers), vocabularies, mean, shift, scale)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each categorical column, the unknown one included."""
        return tuple(len(self.vocabularies[vocabulary_of(c)]) + 1 for c in self.categories)

    def encode(self, frame: pd.DataFrame) -> Encoded:
        """Turn samples into arrays.

        Raises
        ------
        DataError
            A column is missing, or a number is infinite.
        """
        return Encoded(
            self.encode_categories(frame, self.categories),
            self.encode_numbers(frame, self.numbers),
        )

    def encode_categories(self, frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
        """Return the codes of some categorical columns: int32, (n, len(columns))."""
        _check_columns(frame, columns)
        codes = np.empty((len(frame), len(columns)), dtype=np.int32)
        for place, column in enumerate(columns):
            known = self._indexes[vocabulary_of(column)]
            codes[:, place] = known.get_indexer(frame[column]) + 1
        return codes

    @cached_property
    def _indexes(self) -> dict[str, pd.Index]:
        """The vocabularies as hash tables, built once."""
        return {name: pd.Index(values) for name, values in self.vocabularies.items()}

    def encode_numbers(self, frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
        """Return some numeric columns, filled and scaled: float32, (n, len(columns))."""
        _check_columns(frame, columns)
        place = [self.numbers.index(column) for column in columns]
        values = _as_numbers(frame, columns)
        values = np.where(np.isnan(values), self.fill[place], values)
        return ((values - self.shift[place]) / self.scale[place]).astype(np.float32)


def labels_of(frame: pd.DataFrame) -> np.ndarray:
    """Return the labels of samples: float32, (n,), 1 for a like.

    Raises
    ------
    DataError
        A label is neither 0 nor 1, or all are the same: nothing can be learned or judged.
    """
    _check_columns(frame, [LABEL])
    labels = frame[LABEL].to_numpy(dtype=np.float32, na_value=np.nan)
    if not np.isin(labels, (0, 1)).all():
        raise DataError("Labels must be 0 or 1.")
    if len(np.unique(labels)) < 2:
        raise DataError(
            f"All {len(labels)} samples have the same label"
            + (f", {labels[0]:.0f}" if len(labels) else "")
            + ": a ranking model needs likes and dislikes."
        )
    return labels


def vocabulary_of(column: str) -> str:
    """Return the name of the vocabulary that a categorical column draws from."""
    feature = FEATURES.get(column)
    if feature is None or feature.vocabulary is None:
        known = [name for name, each in FEATURES.items() if each.vocabulary]
        raise DataError(f"{column!r} is no categorical feature.{nearest(column, known)}")
    return feature.vocabulary


def _check_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(f"The samples lack the columns {', '.join(missing)}.")


def _known_values(column: pd.Series) -> np.ndarray:
    values = column.dropna()
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(np.int64)
    return values.to_numpy(np.str_)


def _as_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        values[:, place] = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(values[:, place]).any():
            raise DataError(f"Column {column} holds infinite values; missing is written as null.")
    return values
