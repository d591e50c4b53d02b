"""An alarm for drift that keeps its promise: so many false alarms, and no more (S24).

The usual rule, alarm at a population stability index (PSI) of .1 or .25, does not know how many
rows were counted. Without any drift, n rows against m give an index of about ``(1/n + 1/m)`` times
a chi-squared number with B - 1 degrees of freedom for B bins, which for small windows is above .1
nearly always.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from scipy.stats import chi2

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.features.monitoring import stability_index
from recsys_lib.seeding import DEFAULT_SEED, generator


def law_threshold(n: int, m: int, n_bins: int, alpha: float) -> float:
    """Return the index that chance alone exceeds in a share ``alpha`` of windows of n rows."""
    return float((1 / n + 1 / m) * chi2.isf(alpha, n_bins - 1))


class DriftMonitor:
    """Compares windows of a stream with a reference, column by column, with one alarm for all.

    A column's evidence is the chance, by the law above, of an index as large as its own. The alarm
    goes off when the smallest chance of all columns is below a limit. The limit is learned from
    the reference: windows drawn from it, against the rest of it, are below in a share ``alpha`` of
    all draws. So the alarm may have as many columns as it likes, and they may depend on each
    other. Rows of one user resemble each other; drawing whole ``blocks`` accounts for that.

    Parameters
    ----------
    alpha : float
        False alarms a window.
    n_rows : int
        Rows of a window; with blocks, at least so many.
    n_bins : int
        Bins of equally many rows of a column of numbers; missing values are one more.
    n_draws : int
        Windows drawn from the reference.
    seed : int
        Of the draws.

    Attributes
    ----------
    limit_ : float
        Of the smallest chance's logarithm.
    """

    def __init__(
        self,
        *,
        alpha: float = 0.01,
        n_rows: int = 500,
        n_bins: int = 10,
        n_draws: int = 4_000,
        seed: int = DEFAULT_SEED,
    ):
        if not 0 < alpha < 1 or min(n_rows, n_draws) * alpha <= 0 or n_bins < 2:
            raise RecsysError(
                f"alpha lies between 0 and 1, n_rows and n_draws are positive, n_bins is at least "
                f"2, not {alpha}, {n_rows}, {n_draws} and {n_bins}."
            )
        self.alpha, self.n_rows, self.n_bins = alpha, n_rows, n_bins
        self.n_draws, self.seed = n_draws, seed

    def fit(self, reference: pd.DataFrame, blocks: Sequence | None = None) -> Self:
        """Learn bins and limit.

        Parameters
        ----------
        reference : DataFrame
            Columns of numbers, the missing ones NaN; at least four windows of rows.
        blocks : array, shape (n,), optional
            Rows of one value belong together, such as those of a user.
        """
        if len(reference) < 4 * self.n_rows:
            raise DataError(
                f"The reference has {len(reference)} rows; windows of {self.n_rows} need at least "
                f"{4 * self.n_rows}. Take a longer reference or smaller windows."
            )
        self.columns_ = list(reference.columns)
        self._cuts = {}
        for name in self.columns_:
            values = reference[name].to_numpy(np.float64)
            known = values[~np.isnan(values)]
            cuts = np.quantile(known, np.arange(1, self.n_bins) / self.n_bins) if len(known) else []
            self._cuts[name] = np.unique(cuts)
        codes = self._coded(reference)
        self.reference_ = self._counts(codes)
        rng = generator(self.seed, "drift")
        if blocks is not None:  # the rows of each block
            order = np.argsort(blocks, kind="stable")
            starts = np.flatnonzero(np.diff(np.asarray(blocks)[order])) + 1
            blocks = np.split(order, starts)
        drawn = np.stack([self._drawn(codes, blocks, rng) for _ in range(self.n_draws)])
        chances = self._evidence(self.reference_ - drawn, drawn)[1].min(axis=1)
        self.limit_ = float(np.sort(chances)[int(self.alpha * self.n_draws)])
        return self

    def check(self, window: pd.DataFrame) -> pd.DataFrame:
        """Return each column's index and evidence, and whether the alarm goes off.

        Returns
        -------
        DataFrame
            By column: ``psi``; ``chance`` of so large an index by the law; ``alarm``, whether this
            column alone is beyond the limit. One alarm in any of them is the alarm.
        """
        psi, chances = self._of(window)
        alarm = chances < self.limit_
        found = {"psi": psi, "chance": np.exp(chances), "alarm": alarm}
        return pd.DataFrame(found, index=pd.Index(self.columns_, name="column"))

    def is_alarm(self, window: pd.DataFrame) -> bool:
        """Return whether the alarm goes off."""
        return bool(self._of(window)[1].min() < self.limit_)

    def _of(self, window: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        if not len(window):
            raise DataError("There are no rows in the window: has the stream stopped?")
        return self._evidence(self.reference_, self._counts(self._coded(window)))

    def _coded(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the bin of each value: int64, (n, n_columns); the last bin holds missing ones."""
        coded = np.empty(frame.shape, np.int64)
        for place, name in enumerate(self.columns_):
            values = frame[name].to_numpy(np.float64)
            inside = np.searchsorted(self._cuts[name], values, side="right")
            coded[:, place] = np.where(np.isnan(values), self.n_bins, inside)
        return coded

    def _counts(self, codes: np.ndarray) -> np.ndarray:
        """Return counts: int64, (n_columns, n_bins + 1)."""
        width, n_columns = self.n_bins + 1, codes.shape[1]
        flat = (codes + width * np.arange(n_columns)).ravel()
        return np.bincount(flat, minlength=width * n_columns).reshape(n_columns, width)

    def _drawn(self, codes: np.ndarray, blocks: list[np.ndarray] | None, rng) -> np.ndarray:
        """Return the counts of a window drawn from the reference."""
        if blocks is None:
            rows = rng.choice(len(codes), self.n_rows, replace=False, shuffle=False)
        else:
            taken, n_rows = [], 0
            for block in rng.permutation(len(blocks)):
                taken.append(blocks[block])
                n_rows += len(blocks[block])
                if n_rows >= self.n_rows:
                    break
            rows = np.concatenate(taken)
        return self._counts(codes[rows])

    @staticmethod
    def _evidence(reference: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return index and log chance of each column."""
        psi = stability_index(reference, window)
        n_bins = np.maximum(((reference + window) > 0).sum(axis=-1), 2)
        scale = 1 / reference.sum(axis=-1) + 1 / window.sum(axis=-1)
        return psi, chi2.logsf(psi / scale, n_bins - 1)
