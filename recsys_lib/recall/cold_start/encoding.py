"""Attributes as ones and zeros."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class OneHot:
    """A one for each value that a user has; an unknown or new value has none.

    Attributes
    ----------
    known : mapping of str to list of str
        By column, the values in order.
    """

    known: Mapping[str, list[str]]

    @classmethod
    def of(cls, values: pd.DataFrame) -> "OneHot":
        """Learn the values of each column; the empty text stands for unknown."""
        return cls({name: sorted(set(values[name]) - {""}) for name in values.columns})

    @property
    def n_values(self) -> int:
        """Columns of the encoded table."""
        return sum(map(len, self.known.values()))

    def encode(self, values: pd.DataFrame) -> np.ndarray:
        """Return float64, (n_users, n_values)."""
        parts = [np.empty((len(values), 0))]
        for name, known in self.known.items():
            place = pd.Index(known, dtype=object).get_indexer(pd.Index(values[name], dtype=object))
            parts.append((place[:, None] == np.arange(len(known))).astype(np.float64))
        return np.hstack(parts)
