"""Which samples of a file train a model, which choose its epoch, and which test it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from recsys_lib.data.moments import Moments
from recsys_lib.data.splits import PARTS
from recsys_lib.data.values import text_of
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.ranking.column_schema import PART
from recsys_lib.ranking.sample_files import Source
from recsys_lib.schema import TIMESTAMP
from recsys_lib.seeding import DEFAULT_SEED, key_hash

TRAIN, VALIDATION, TEST = PARTS


@dataclass(frozen=True)
class SampleSplit:
    """How samples are split into the parts train, validation and test.

    Attributes
    ----------
    description : str
        The split in words.
    columns : tuple of str
        The columns that ``parts_of`` reads.
    parts_of : function of a DataFrame and the number of its first row
        Returns the name of each row's part: array of str, (n,).
    """

    description: str
    columns: tuple[str, ...]
    parts_of: Callable[[pd.DataFrame, int], np.ndarray]


def split_samples(
    source: Source,
    validation: float = 0.1,
    test: float = 0.0,
    seed: int = DEFAULT_SEED,
    time_unit: str | None = None,
) -> SampleSplit:
    """Decide how samples are split: by their column ``part``, else by time, else at random.

    Parameters
    ----------
    source : Source
        All values of ``timestamp`` are read, and nothing of the other columns.
    validation, test : float
        Shares of the rows, in [0, 1). In a split by time, validation comes before test, and rows
        of one moment stay together.
    seed : int
        Seed of the random split, in which the part of a row follows from its number.
    time_unit : str, optional
        How times are written, see :class:`recsys_lib.data.moments.Moments`.

    Raises
    ------
    RecsysError
        The shares are negative or leave nothing to train on.
    DataError
        The column ``timestamp`` has a value that is missing or no number.
    """
    if not (validation >= 0 and test >= 0 and validation + test < 1):  # nan is none of it
        raise RecsysError(
            f"The shares of validation and test, {validation} and {test}, must be numbers from 0 "
            "that leave something to train on."
        )
    shares = f"{validation:.0%} validation, {test:.0%} test"
    bounds = np.array([1 - validation - test, 1 - test])
    if PART in source.columns:
        return SampleSplit(f"by the column {PART!r}", (PART,), _as_written)
    if TIMESTAMP in source.columns:
        seconds = _reader_of_times(source, time_unit)
        times = np.concatenate([seconds(f) for _, f in source.read([TIMESTAMP])])
        if len(times) and times.min() == times.max() and validation + test > 0:
            raise DataError(
                f"All samples have the same {TIMESTAMP}, so time cannot split them. Name no "
                f"{TIMESTAMP} in the schema, and they are split at random."
            )
        times.sort()
        # A bound past the last row is infinite: no row reaches it.
        places = np.round(bounds * len(times)).astype(int)
        moments = np.append(times.astype(np.float64), np.inf)[places]
        return SampleSplit(
            f"by time: the latest samples are {shares}",
            (TIMESTAMP,),
            lambda frame, first_row: _named(seconds(frame), moments),
        )

    def at_random(frame, first_row):
        rows = np.arange(first_row, first_row + len(frame))
        return _named(key_hash(rows, seed=seed) / 2.0**64, np.where(bounds < 1, bounds, np.inf))

    return SampleSplit(f"at random (seed {seed}): {shares}", (), at_random)


def _reader_of_times(source: Source, unit: str | None) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return a function from samples to times: numbers as they are, dates as Unix seconds."""
    if unit is None:
        kinds = {is_numeric_dtype(f[TIMESTAMP].dtype) for _, f in source.read([TIMESTAMP])}
        if kinds == {True}:  # only their order counts
            return lambda frame: _without_gaps(frame[TIMESTAMP])
    moments = Moments(unit)
    for first_row, frame in source.read([TIMESTAMP]):
        moments.look(frame[TIMESTAMP], np.arange(first_row, first_row + len(frame)))
    moments.decide(f"Column {TIMESTAMP}", "row")

    def seconds(frame: pd.DataFrame) -> np.ndarray:
        found, wrong = moments.read(frame[TIMESTAMP])
        for mask, reason in wrong:
            if mask.any():
                value = text_of(frame[TIMESTAMP])[np.flatnonzero(mask)[0]]
                raise DataError(f"Column {TIMESTAMP} holds {value!r}: {reason}.")
        return found

    return seconds


def _without_gaps(times: pd.Series) -> np.ndarray:
    if times.isna().any():
        raise DataError(f"Column {TIMESTAMP} must hold a number (of seconds) in each row.")
    return times.to_numpy()


def _named(values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    return np.array(PARTS)[np.searchsorted(bounds, values, side="right")]


def _as_written(frame: pd.DataFrame, first_row: int) -> np.ndarray:
    parts = frame[PART].astype(str).to_numpy()
    wrong = ~np.isin(parts, PARTS)
    if wrong.any():
        raise DataError(
            f"The column {PART!r} must hold {TRAIN}, {VALIDATION} or {TEST}; "
            f"one is {parts[wrong][0]!r}."
        )
    return parts
