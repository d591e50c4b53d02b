"""Statistics of samples over time, for whoever watches a running recommender (S1, third outlet).

Two questions a dashboard answers: is a column still filled, and does it still look as it did?
An engine summarises the samples and counts them in bins; what is said of the counts is said here.
"""

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.features.engines import engine_of
from recsys_lib.features.registry import FEATURES, checked
from recsys_lib.features.sample_folder import PERIODS

N_BINS = 10
LEAST_SHARE = 1e-4  # of a bin, so that an empty one gives a large drift, not an infinite one
MISSING = "(missing)"  # a bin like any other


def monitoring_statistics(
    samples, columns: list[str], period: str = "month", reference: str | None = None
) -> pd.DataFrame:
    """Return fill rate, location, spread and drift of each column in each period.

    Parameters
    ----------
    samples : pandas.DataFrame or pyspark.sql.DataFrame
        Samples with a ``timestamp`` (s since 1970, UTC).
    columns : list of str
        Features of kind number or category.
    period : str
        ``year``, ``month`` or ``day``.
    reference : str, optional
        The period that drift is measured from, as it is written (``1997-09``); by default the
        first one.

    Returns
    -------
    DataFrame
        Sorted by ``period`` and ``column`` (in the order asked for): ``rows``; ``filled``, the
        share of values that are there; ``distinct``, how many values differ, which Spark
        estimates within 5 %; of numbers ``mean``, ``stddev``, ``p05``, ``p50``, ``p95``, the last
        three exact but for Spark on periods of more than a million rows; and ``drift``, the
        population stability index (Siddiqi, Credit Risk Scorecards, 2006)
        ``sum((p - q) ln(p / q))`` over the shares p and q of ten bins, cut at the reference's
        deciles, or of its ten most frequent categories and the others, missing values being a
        bin too. Below .1 is called stable, above .25 a shift.

    Raises
    ------
    RecsysError
        A column or period is not known.
    DataError
        There are no samples, or none in the reference period.
    """
    if period not in PERIODS:
        raise RecsysError(f"A period is one of {', '.join(PERIODS)}, not {period!r}.")
    for column in checked(columns):
        if FEATURES[column].kind not in ("number", "category"):
            raise RecsysError(f"{column!r} is neither a number nor a category.")
    engine = engine_of(samples, "monitoring", "monitoring")
    numbers = [c for c in columns if FEATURES[c].kind == "number"]
    rows = engine.by_period(samples, period, columns)
    table = engine.summaries(rows, columns, numbers)
    if table.empty:
        raise DataError("There are no samples to watch.")
    reference = reference or table.period.min()
    if reference not in set(table.period):
        raise DataError(f"There are no samples in the reference period {reference!r}.")
    counts = engine.bin_counts(rows, columns, numbers, reference, N_BINS)
    table = table.merge(_drift(counts, reference), on=["period", "column"])
    table["column"] = pd.Categorical(table.column, columns)
    table = table.sort_values(["period", "column"], ignore_index=True)
    return table.astype({"column": object})


def stability_index(expected: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the population stability index of counts: float64, (...,).

    Parameters
    ----------
    expected, observed : arrays, shape (..., n_bins)
        Counts of the reference and of the window.
    """
    p, q = (
        np.maximum(counts / counts.sum(axis=-1, keepdims=True), LEAST_SHARE)
        for counts in (np.asarray(expected, np.float64), np.asarray(observed, np.float64))
    )
    return ((q - p) * np.log(q / p)).sum(axis=-1)


def _drift(counts: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the population stability index of each column in each period.

    ``counts`` has a row for each ``period``, ``column`` and ``bin``; a missing bin is null.
    """
    by_bin = counts.fillna({"bin": MISSING}).pivot_table(
        index=["column", "bin"], columns="period", values="count", fill_value=0
    )
    drift = {
        column: stability_index(bins[reference], bins.T)  # (n_bins,), (n_periods, n_bins)
        for column, bins in by_bin.groupby("column")
    }
    drift = pd.DataFrame(drift, index=by_bin.columns).rename_axis("column", axis=1)
    return drift.stack().rename("drift").reset_index()
