"""Statistics of samples over time, for whoever watches a running recommender (S1, third outlet).

Two questions a dashboard answers: is a column still filled, and does it still look as it did?
Everything is counted by Spark; what comes back has one row for each period and column.
"""

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.features.registry import FEATURES, checked
from recsys_lib.features.sample_folder import PERIODS, period_of

N_BINS = 10
LEAST_SHARE = 1e-4  # of a bin, so that an empty one gives a large drift, not an infinite one
_NUMBERS = ("mean", "stddev", "p05", "p50", "p95")


def monitoring_statistics(
    samples: DataFrame, columns: list[str], period: str = "month", reference: str | None = None
) -> pd.DataFrame:
    """Return fill rate, location, spread and drift of each column in each period.

    Parameters
    ----------
    samples : pyspark.sql.DataFrame
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
        share of values that are there; ``distinct``, an estimate within 5 % of how many values
        differ; of numbers ``mean``, ``stddev``, ``p05``, ``p50``, ``p95``; and ``drift``, the
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
    rows = samples.selectExpr(f"{period_of(period)} as period", *columns)
    told = _summaries(rows, columns)
    if told.empty:
        raise DataError("There are no samples to watch.")
    reference = reference or told.period.min()
    if reference not in set(told.period):
        raise DataError(f"There are no samples in the reference period {reference!r}.")
    drift = _drift(rows, columns, reference)
    told = told.merge(drift, on=["period", "column"])
    told["column"] = pd.Categorical(told.column, columns)
    told = told.sort_values(["period", "column"], ignore_index=True)
    return told.astype({"column": object})


def _numbers(columns: list[str]) -> list[str]:
    return [c for c in columns if FEATURES[c].kind == "number"]


def _summaries(rows: DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return all but the drift; one aggregation over all columns at once."""
    asked = {"rows": F.count("*")}
    for c in columns:
        asked[f"{c} filled"] = F.count(c) / F.count("*")
        asked[f"{c} distinct"] = F.approx_count_distinct(c)
    for c in _numbers(columns):
        asked[f"{c} mean"], asked[f"{c} stddev"] = F.mean(c), F.stddev(c)
        asked[f"{c} quantiles"] = F.percentile_approx(c, [0.05, 0.5, 0.95])
    wide = rows.groupBy("period").agg(*(value.alias(name) for name, value in asked.items()))
    table = []
    for row in wide.collect():
        for c in columns:
            one = {"period": row["period"], "column": c, "rows": row["rows"]}
            one |= {name: row[f"{c} {name}"] for name in ("filled", "distinct")}
            if FEATURES[c].kind == "number":
                quantiles = row[f"{c} quantiles"] or [None] * 3
                values = (row[f"{c} mean"], row[f"{c} stddev"], *quantiles)
                one |= dict(zip(_NUMBERS, values, strict=True))
            table.append(one)
    frame = pd.DataFrame(
        table, columns=["period", "column", "rows", "filled", "distinct", *_NUMBERS]
    )
    return frame.astype(dict.fromkeys(_NUMBERS, float))


def _drift(rows: DataFrame, columns: list[str], reference: str) -> pd.DataFrame:
    """Return the population stability index of each column in each period."""
    at_reference = rows.where(F.col("period") == reference)
    bins = _number_bins(at_reference, _numbers(columns))
    bins |= _category_bins(at_reference, [c for c in columns if c not in bins])
    binned = rows.select("period", *(value.alias(c) for c, value in bins.items()))
    long = binned.unpivot("period", columns, "column", "bin").groupBy("period", "column", "bin")
    counts = long.count().toPandas().fillna({"bin": "(missing)"})  # a bin like any other
    shares = counts.pivot_table(
        index=["column", "bin"], columns="period", values="count", fill_value=0
    )
    shares = (shares / shares.groupby("column").transform("sum")).clip(lower=LEAST_SHARE)
    base = shares[reference]
    terms = shares.sub(base, axis=0) * np.log(shares.div(base, axis=0))
    return terms.groupby("column").sum().stack().rename("drift").reset_index()


def _number_bins(at_reference: DataFrame, columns: list[str]) -> dict[str, Column]:
    """Return for each column how many of the reference's deciles lie below a value, as text."""
    if not columns:
        return {}
    deciles = [k / N_BINS for k in range(1, N_BINS)]
    cuts = at_reference.agg(*(F.percentile_approx(c, deciles).alias(c) for c in columns)).first()
    return {
        c: sum(
            ((F.col(c) > float(cut)).cast("int") for cut in cuts[c] or []),
            F.when(F.col(c).isNotNull(), 0),  # a missing value stays null
        ).cast("string")
        for c in columns
    }


def _category_bins(at_reference: DataFrame, columns: list[str]) -> dict[str, Column]:
    """Return for each column the value where it is frequent in the reference, else (other)."""
    if not columns:
        return {}
    texts = at_reference.select(*(F.col(c).cast("string").alias(c) for c in columns))
    counted = texts.unpivot([], columns, "column", "value").dropna().groupBy("column", "value")
    by_count = Window.partitionBy("column").orderBy(F.desc("count"), "value")
    placed = counted.count().withColumn("place", F.row_number().over(by_count))
    often = placed.where(F.col("place") <= N_BINS).toPandas().groupby("column")["value"].agg(list)
    bins = {}
    for c in columns:
        text = F.col(c).cast("string")
        other = F.when(text.isNotNull(), "(other)")
        bins[c] = F.when(text.isin(often.get(c, [])), text).otherwise(other)
    return bins
