"""What :func:`recsys_lib.features.monitoring_statistics` asks of Spark.

What comes back to the driver has one row for each period and column, or bin of a column.
"""

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recsys_lib.features.distributed.writing import period_of

# Quantiles are exact in a period of up to so many rows, and then within a rank in so many.
_ACCURACY = 1_000_000
_QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}


def by_period(samples: DataFrame, period: str, columns: list[str]) -> DataFrame:
    """Return the columns and the ``period`` of each sample."""
    return samples.selectExpr(f"{period_of(period)} as period", *columns)


def summaries(rows: DataFrame, columns: list[str], numbers: list[str]) -> pd.DataFrame:
    """Return all but the drift; one aggregation over all columns at once."""
    asked = {"rows": F.count("*")}
    for c in columns:
        asked[f"{c} filled"] = F.count(c) / F.count("*")
        asked[f"{c} distinct"] = F.approx_count_distinct(c)
    for c in numbers:
        asked[f"{c} mean"], asked[f"{c} stddev"] = F.mean(c), F.stddev(c)
        asked[f"{c} quantiles"] = F.percentile_approx(c, [*_QUANTILES.values()], _ACCURACY)
    wide = rows.groupBy("period").agg(*(value.alias(name) for name, value in asked.items()))
    table = []
    for row in wide.collect():
        for c in columns:
            one = {"period": row["period"], "column": c, "rows": row["rows"]}
            one |= {name: row[f"{c} {name}"] for name in ("filled", "distinct")}
            if c in numbers:
                one |= {name: row[f"{c} {name}"] for name in ("mean", "stddev")}
                one |= zip(_QUANTILES, row[f"{c} quantiles"] or [None] * 3, strict=True)
            table.append(one)
    of_numbers = ["mean", "stddev", *_QUANTILES]
    frame = pd.DataFrame(
        table, columns=["period", "column", "rows", "filled", "distinct", *of_numbers]
    )
    return frame.astype(dict.fromkeys(of_numbers, float))


def bin_counts(
    rows: DataFrame, columns: list[str], numbers: list[str], reference: str, n_bins: int
) -> pd.DataFrame:
    """Return ``period``, ``column``, ``bin`` and the ``count`` of values in it."""
    at_reference = rows.where(F.col("period") == reference)
    bins = _number_bins(at_reference, numbers, n_bins)
    bins |= _category_bins(at_reference, [c for c in columns if c not in bins], n_bins)
    binned = rows.select("period", *(value.alias(c) for c, value in bins.items()))
    long = binned.unpivot("period", columns, "column", "bin").groupBy("period", "column", "bin")
    return long.count().toPandas()


def _number_bins(at_reference: DataFrame, columns: list[str], n_bins: int) -> dict[str, Column]:
    """Return for each column how many of the reference's quantiles lie below a value, as text."""
    if not columns:
        return {}
    quantiles = [k / n_bins for k in range(1, n_bins)]
    cuts = at_reference.agg(
        *(F.percentile_approx(c, quantiles, _ACCURACY).alias(c) for c in columns)
    ).first()
    return {
        c: sum(
            ((F.col(c) > float(cut)).cast("int") for cut in cuts[c] or []),
            F.when(F.col(c).isNotNull(), 0),  # a missing value stays null
        ).cast("string")
        for c in columns
    }


def _category_bins(at_reference: DataFrame, columns: list[str], n_bins: int) -> dict[str, Column]:
    """Return for each column the value where it is frequent in the reference, else (other)."""
    if not columns:
        return {}
    texts = at_reference.select(*(F.col(c).cast("string").alias(c) for c in columns))
    counted = texts.unpivot([], columns, "column", "value").dropna().groupBy("column", "value")
    by_count = Window.partitionBy("column").orderBy(F.desc("count"), "value")
    placed = counted.count().withColumn("place", F.row_number().over(by_count))
    often = placed.where(F.col("place") <= n_bins).toPandas().groupby("column")["value"].agg(list)
    bins = {}
    for c in columns:
        text = F.col(c).cast("string")
        other = F.when(text.isNotNull(), "(other)")
        bins[c] = F.when(text.isin(often.get(c, [])), text).otherwise(other)
    return bins
