"""One interface for features at serving time, wherever they lie (S16).

The notes put users into Redis, items into the server's memory, and history on a file system. All
three answer alike: rows by key, published as whole versions, with a type for each column, an age
for each answer, and the version before kept for a roll-back.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.schema import TIMESTAMP, USER
from recsys_lib.stores.rows import RowFormat

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class StoreUnavailable(RecsysError):
    """The store does not answer, or has no room left."""


@dataclass(frozen=True)
class Version:
    """A published version of a store.

    Attributes
    ----------
    name : str
    key : str
        The column that rows are found by.
    as_of : float
        In s since 1970: the values know all that had arrived before this moment.
    published : float
        In s since 1970.
    n_rows : int
        When it was published.
    types : dict of str to str
        Type of each column but the key, see :class:`~recsys_lib.stores.rows.RowFormat`.
    """

    name: str
    key: str
    as_of: float
    published: float
    n_rows: int
    types: dict[str, str] = field(hash=False)

    @cached_property
    def row_format(self) -> RowFormat:
        """The layout of its rows."""
        return RowFormat(self.key, self.types)


@dataclass(frozen=True)
class FeatureRows:
    """The answer of a store: a row for each key that was asked for, all of one version.

    Attributes
    ----------
    version : Version or None
        None before the first version.
    keys : int64 array, shape (n,)
    rows : list of dict or None, length n
        The key and the features that are there; None for an unknown key and for a row past its
        time-to-live.
    age_s : float64 array, shape (n,)
        Seconds since the moment the row's values are of; NaN for an unknown key. The age of a row
        past its time is given, its values are not.
    """

    version: Version | None
    keys: np.ndarray
    rows: list[dict | None]
    age_s: np.ndarray


class FeatureStore(ABC):
    """Features by key, in whole versions.

    Parameters
    ----------
    key : str
        The column that rows are found by, int64: ``user_id`` or ``item_id``.
    types : mapping of str to str, optional
        Types of columns that the feature registry does not have, as ``{"vector": "float32[10]"}``.
    ttl_s : float, optional
        Time-to-live: an older row counts as missing. By default rows do not age.
    clock : function
        Returns the time in s since 1970; simulations pass their own.
    """

    def __init__(
        self,
        *,
        key: str = USER,
        types: Mapping[str, str] | None = None,
        ttl_s: float | None = None,
        clock: Callable[[], float] = time.time,
    ):
        self.key = key
        self.types = dict(types or {})
        self.ttl_s = ttl_s
        self.clock = clock

    def publish(
        self, rows: pd.DataFrame | pa.Table, version: str, *, as_of: float | None = None
    ) -> Version:
        """Write a whole new version, then make it the current one in a single step.

        Readers see the old version until then and the new one from then on. The version that was
        current stays as the previous one. When anything fails, the old version stays current.

        Parameters
        ----------
        rows : DataFrame or pyarrow.Table
            The key and the features. A column ``timestamp`` may give the moment that each row's
            values are of, in s since 1970; without it that is ``as_of``.
        version : str
            A new name: letters, digits, ``.``, ``-`` and ``_``.
        as_of : float, optional
            In s since 1970: the values know all that had arrived before this moment, the batch's
            cut-off. By default the time of the clock, so that a batch that computed for an hour
            should give it: ages count from it, and events after it are replayed.

        Raises
        ------
        DataError
            The name is taken or is none, a column has no known type, a value is of another type
            than its column, or a key is missing or stands twice.
        StoreUnavailable
            The store does not answer, or has no room left.
        """
        if not NAME.fullmatch(version):
            raise DataError(
                f"{version!r} is no name for a version: letters, digits, '.', '-' and '_', "
                "at most 64, a letter or a digit first."
            )
        self._check_name(version, self.names())
        columns = rows.columns if isinstance(rows, pd.DataFrame) else rows.column_names
        row_format = RowFormat.of(columns, self.key, self.types)
        table = row_format.table(rows)
        now = self.clock()
        as_of = float(now if as_of is None else as_of)
        made = Version(version, self.key, as_of, now, len(table), row_format.types)
        self._publish(made, table, rows)
        return made

    def read(self, key: int) -> dict | None:
        """Return the features of one key (missing ones left out), or None: see :meth:`read_many`.

        Raises
        ------
        StoreUnavailable
            The store does not answer.
        """
        return self.read_many([key]).rows[0]

    def read_many(self, keys: Sequence[int] | np.ndarray) -> FeatureRows:
        """Return the rows of some keys, all of one version, in one round trip.

        Raises
        ------
        StoreUnavailable
            The store does not answer.
        """
        keys = np.asarray(keys, dtype=np.int64)
        version, packed = self._fetch(keys)
        rows: list[dict | None] = [None] * len(keys)
        age_s = np.full(len(keys), np.nan)
        found = [place for place, row in enumerate(packed) if row is not None]
        if version is not None and found:
            found_rows = [packed[place] for place in found]
            known, timestamps = version.row_format.unpack(keys[found].tolist(), found_rows)
            age_s[found] = self.clock() - timestamps
            for place, row in zip(found, known, strict=True):
                if self.ttl_s is None or age_s[place] <= self.ttl_s:
                    rows[place] = row
        return FeatureRows(version, keys, rows, age_s)

    @staticmethod
    def _check_name(name: str, taken: Sequence[str]) -> None:
        if name in taken:
            raise DataError(f"There is a version {name!r} already; give the new one a new name.")

    def names(self) -> list[str]:
        """Return the names of the versions the store has."""
        return [each.name for each in (self.previous(), self.current()) if each is not None]

    @abstractmethod
    def current(self) -> Version | None:
        """Return the version that readers see, or None before the first."""

    @abstractmethod
    def previous(self) -> Version | None:
        """Return the version that :meth:`roll_back` would make current, or None."""

    @abstractmethod
    def roll_back(self) -> Version:
        """Make the previous version current, in a single step, and return it.

        The two change places, so that a roll-back can be undone by another one.

        Raises
        ------
        DataError
            There is no previous version.
        StoreUnavailable
            The store does not answer.
        """

    @abstractmethod
    def _publish(self, version: Version, table: pa.Table, rows: pd.DataFrame | pa.Table) -> None:
        """Write a checked table and make it current."""

    @abstractmethod
    def _fetch(self, keys: np.ndarray) -> tuple[Version | None, list[bytes | None]]:
        """Return the current version and the packed row of each key, from one moment."""


def times_of(rows: pd.DataFrame | pa.Table, column: str, default: float) -> np.ndarray:
    """Return a column of times as float64, shape (n,); ``default`` where there is none."""
    there = column in (rows.columns if isinstance(rows, pd.DataFrame) else rows.column_names)
    if not there:
        return np.full(len(rows), float(default))
    return np.asarray(rows[column]).astype(np.float64)


def row_times(rows: pd.DataFrame | pa.Table, version: Version) -> np.ndarray:
    """Return the moment each row's values are of, in s since 1970: float64, shape (n,)."""
    return times_of(rows, TIMESTAMP, version.as_of)
