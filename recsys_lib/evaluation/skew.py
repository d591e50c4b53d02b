"""Skew between training and serving: does the model see in service what it learned from?

The population stability index compares the shares p and q of bins, ``sum((p - q) ln(p / q))``.
Fixed thresholds such as .1 and .25 know nothing of the number of rows: without any drift the index
is about ``(1/n + 1/m) chi2`` with one degree of freedom less than there are bins, so 100 rows on
both sides exceed .1 nearly always, and a million rows hide a real shift of .01. Here the index is
therefore compared with that distribution, and the rate of false alarms is what one asks for.
(Yurdakul and Naranjo: Statistical properties of the population stability index, 2020.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import chdtrc, chdtri

from recsys_lib import files
from recsys_lib.errors import DataError, RecsysError, nearest

N_BINS = 10
LEAST_EXPECTED = 5  # rows a bin is to have on both sides; smaller bins are put together


@dataclass(frozen=True)
class Bins:
    """How the values of a column are put into bins, and how many rows of training are in each.

    Attributes
    ----------
    edges : tuple of float
        Of a number: bin i holds values up to edge i, the last bin those above. Empty for a
        category.
    values : tuple of str
        Of a category: the frequent ones, one bin each, and one for all others.
    counts : tuple of int
        Of the bins, and of missing values at the end.
    """

    edges: tuple[float, ...]
    values: tuple[str, ...]
    counts: tuple[int, ...]

    def count(self, column: pd.Series) -> np.ndarray:
        """Return how many values fall into each bin: int64, (n_bins + 1,)."""
        known = column.dropna()
        n_bins = len(self.counts) - 1
        if self.values:
            place = pd.Index(self.values).get_indexer(known.astype(str))
            place = np.where(place < 0, n_bins - 1, place)
        else:
            place = np.searchsorted(self.edges, known.to_numpy(np.float64), side="left")
        return np.append(np.bincount(place, minlength=n_bins), len(column) - len(known))


@dataclass(frozen=True)
class TrainingProfile:
    """What the columns of the training samples looked like.

    Attributes
    ----------
    columns : dict of str to Bins
    """

    columns: Mapping[str, Bins]

    @classmethod
    def fit(cls, samples: pd.DataFrame, columns: Sequence[str], n_bins: int = N_BINS):
        """Cut numbers at their quantiles, and count the most frequent values of categories."""
        if missing := [c for c in columns if c not in samples.columns]:
            raise DataError(
                f"The samples lack the columns {', '.join(missing)}."
                f"{nearest(missing[0], map(str, samples.columns))}"
            )
        made = {}
        for column in columns:
            known = samples[column].dropna()
            edges, values = (), ()
            if _is_number(known):
                share = np.arange(1, n_bins) / n_bins
                if len(known):
                    cuts = np.quantile(known.to_numpy(np.float64), share, method="inverted_cdf")
                    edges = tuple(np.unique(cuts).tolist())
                n = len(edges) + 1
            else:
                values = tuple(known.astype(str).value_counts().index[:n_bins])
                n = len(values) + 1
            empty = Bins(edges, values, (0,) * (n + 1))
            made[column] = Bins(edges, values, tuple(empty.count(samples[column]).tolist()))
        return cls(made)

    def compare(self, served: pd.DataFrame, false_alarm_rate: float = 0.01) -> pd.DataFrame:
        """Compare what was served with training, column by column.

        Parameters
        ----------
        served : DataFrame
            Independent rows: of the candidates of one request, which share their user, take one.
        false_alarm_rate : float
            In (0, 1): the chance that any column is flagged although none has drifted.

        Returns
        -------
        DataFrame
            One row a column, the clearest drift first: ``column``; ``rows`` served; ``psi``;
            ``psi_by_chance``, what a column without drift exceeds with the rate asked for (shared
            among the columns); ``p_value``; ``drifted``. A column that was not served at all is
            one whose values are all missing.

        Raises
        ------
        RecsysError
            The rate lies outside (0, 1).
        DataError
            Nothing was served.
        """
        if not 0 < false_alarm_rate < 1:
            raise RecsysError(f"false_alarm_rate must lie in (0, 1), not {false_alarm_rate}.")
        if served.empty:
            raise DataError("Nothing was served, so nothing can be compared.")
        level = false_alarm_rate / len(self.columns)
        lines = []
        for name, bins in self.columns.items():
            absent = pd.Series(np.nan, served.index, dtype=object)
            now = bins.count(served[name] if name in served.columns else absent)
            trained, now = _merged(np.array(bins.counts), now)
            psi, unit, freedom = _index(trained, now)
            lines.append(
                {
                    "column": name,
                    "rows": len(served),
                    "psi": psi,
                    "psi_by_chance": unit * chdtri(freedom, level) if freedom else 0.0,
                    "p_value": chdtrc(freedom, psi / unit) if freedom else 1.0,
                }
            )
        table = pd.DataFrame(lines)
        table["drifted"] = table["p_value"] < level
        return table.sort_values(["p_value", "psi"], ascending=[True, False], ignore_index=True)

    def save(self, path: Path) -> None:
        """Write the profile as JSON, to lie beside the model."""
        files.write_json(path, {name: vars(bins) for name, bins in self.columns.items()})

    @classmethod
    def load(cls, path: Path) -> "TrainingProfile":
        """Read what :meth:`save` wrote."""
        try:
            stored = files.read_json(path)
            return cls(
                {
                    name: Bins(**{key: tuple(values) for key, values in bins.items()})
                    for name, bins in stored.items()
                }
            )
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise DataError(f"No training profile can be read from {path}: {error}") from None


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values.dtype)


def _index(trained: np.ndarray, now: np.ndarray) -> tuple[float, float, int]:
    """Return the index, the factor of its distribution, and the degrees of freedom."""
    m, n = trained.sum(), now.sum()
    # Half a row more in each bin keeps the logarithms finite and hardly moves the rest.
    p, q = (trained + 0.5) / (m + len(trained) / 2), (now + 0.5) / (n + len(now) / 2)
    return float(np.sum((p - q) * np.log(p / q))), 1 / m + 1 / n, len(trained) - 1


def _merged(trained: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put bins together that have too few rows for the distribution to hold.

    Expected are the shares of both sides together, so that a bin which is new in service, and
    full, stays.
    """
    m, n = trained.sum(), now.sum()
    share = (trained + now) / (m + n)
    small = share * min(m, n) < LEAST_EXPECTED
    kept = [(trained[~small], now[~small])]
    if small.any() and (trained + now)[small].sum():
        kept.append((trained[small].sum(keepdims=True), now[small].sum(keepdims=True)))
    return tuple(np.concatenate(each) for each in zip(*kept, strict=True))
