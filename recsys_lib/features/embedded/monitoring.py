"""What :func:`recsys_lib.features.monitoring_statistics` asks of this engine."""

import pandas as pd
import polars as pl

from recsys_lib.features.embedded.frames import polars_from
from recsys_lib.features.embedded.writing import period_of
from recsys_lib.features.registry import arrow_schema
from recsys_lib.schema import TIMESTAMP

_QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}


def by_period(samples: pd.DataFrame, period: str, columns: list[str]) -> pl.DataFrame:
    """Return the columns and the ``period`` of each sample."""
    kept = list(dict.fromkeys([TIMESTAMP, *columns]))
    rows = polars_from(samples[kept], arrow_schema(kept))
    return rows.select(period_of(period).alias("period"), *columns)


def summaries(rows: pl.DataFrame, columns: list[str], numbers: list[str]) -> pd.DataFrame:
    """Return all but the drift."""
    tables = []
    for c in columns:
        value = pl.col(c).drop_nulls()
        n_rows, n_distinct = (n.cast(pl.Int64) for n in (pl.len(), value.n_unique()))
        found = {"rows": n_rows, "filled": value.len() / n_rows, "distinct": n_distinct}
        if c in numbers:
            exact = value.cast(pl.Float64)
            found |= {"mean": exact.mean(), "stddev": exact.std()}
            found |= {name: _quantile(exact, q) for name, q in _QUANTILES.items()}
        else:
            found |= {name: pl.lit(None, pl.Float64) for name in ("mean", "stddev", *_QUANTILES)}
        tables.append(rows.group_by("period", pl.lit(c).alias("column")).agg(**found))
    return pl.concat(tables).to_pandas()


def bin_counts(
    rows: pl.DataFrame, columns: list[str], numbers: list[str], reference: str, n_bins: int
) -> pd.DataFrame:
    """Return ``period``, ``column``, ``bin`` and the ``count`` of values in it."""
    at_reference = rows.filter(pl.col("period") == reference)
    tables = []
    for c in columns:
        value = pl.col(c)
        if c in numbers:
            exact = value.cast(pl.Float64)
            cuts = at_reference.select(
                _quantile(exact.drop_nulls(), k / n_bins).alias(str(k)) for k in range(1, n_bins)
            ).row(0)
            below = sum((exact > cut for cut in cuts if cut is not None), pl.lit(0))
            place = pl.when(value.is_not_null()).then(below).cast(pl.String)
        else:
            text = value.cast(pl.String)
            counted = at_reference.select(value=text).drop_nulls().group_by("value").len()
            often = counted.sort("len", "value", descending=[True, False])["value"].head(n_bins)
            place = pl.when(text.is_in(often.implode())).then(text)
            place = place.when(text.is_not_null()).then(pl.lit("(other)"))
        binned = rows.group_by("period", pl.lit(c).alias("column"), place.alias("bin"))
        tables.append(binned.agg(count=pl.len().cast(pl.Int64)))
    return pl.concat(tables).to_pandas()


def _quantile(values: pl.Expr, share: float) -> pl.Expr:
    """Return the least value such that so great a share of all lie at or below it; else null."""
    place = (share * values.len()).ceil().cast(pl.Int64).clip(1) - 1
    return values.sort().get(place, null_on_oob=True)
