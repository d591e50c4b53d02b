"""Which samples of a file train a model, which choose its epoch, which judge it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.data.splits import PARTS
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.ranking.sample_files import Source
from recsys_lib.schema import TIMESTAMP
from recsys_lib.seeding import DEFAULT_SEED, key_hash

PART = "part"
TRAIN, VALIDATION, TEST = PARTS


@dataclass(frozen=True)
class Parts:
    """How samples are split.

    Attributes
    ----------
    how : str
        In words.
    columns : tuple of str
        What ``of`` reads.
    of : function of a DataFrame and the number of its first row
        Returns the name of the part of each row: array of str, (n,).
    """

    how: str
    columns: tuple[str, ...]
    of: Callable[[pd.DataFrame, int], np.ndarray]


def split(
    source: Source, validation: float = 0.1, test: float = 0.0, seed: int = DEFAULT_SEED
) -> Parts:
    """Decide how samples are split: by their column ``part``, else by time, else at random.

    Parameters
    ----------
    source : Source
        Of ``timestamp`` all values are read, of the other columns nothing.
    validation, test : float
        Shares of the rows, in [0, 1). By time, validation comes before test; rows of one moment
        stay together.
    seed : int
        Of the random split, in which the number of a row decides.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise RecsysError(
            f"The shares of validation and test, {validation} and {test}, must not be negative "
            "and must leave something to train on."
        )
    shares = f"{validation:.0%} validation, {test:.0%} test"
    bounds = np.array([1 - validation - test, 1 - test])
    if PART in source.columns:
        return Parts(f"by the column {PART!r}", (PART,), _as_written)
    if TIMESTAMP in source.columns:
        times = np.concatenate([f[TIMESTAMP].to_numpy() for _, f in source.read([TIMESTAMP])])
        if not np.issubdtype(times.dtype, np.number) or np.isnan(times).any():
            raise DataError(f"Column {TIMESTAMP} must hold a number (of seconds) in each row.")
        times.sort()
        # A bound past the last row is never reached.
        places = np.round(bounds * len(times)).astype(int)
        moments = np.append(times.astype(np.float64), np.inf)[places]
        return Parts(
            f"by time: the latest samples are {shares}",
            (TIMESTAMP,),
            lambda frame, first_row: _named(frame[TIMESTAMP].to_numpy(), moments),
        )

    def at_random(frame, first_row):
        rows = np.arange(first_row, first_row + len(frame))
        return _named(key_hash(rows, seed=seed) / 2.0**64, np.where(bounds < 1, bounds, np.inf))

    return Parts(f"at random (seed {seed}): {shares}", (), at_random)


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
