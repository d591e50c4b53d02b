"""Solutions to the exercises of notebook 02; each takes the place of the function in its cell."""

import numpy as np
import pandas as pd


def window_before(key, seconds=None):
    """Exercise 1: RANGE counts in the unit of the order, here seconds."""
    start = "unbounded" if seconds is None else seconds
    frame = f"range between {start} preceding and 1 preceding"
    return f"over (partition by {key} order by timestamp {frame})"


def deviation_before(events, key):
    """Exercise 2: three sums instead of two; rounding may leave a variance just below zero."""
    rows = events.assign(square=events.rating**2)
    by_second = rows.groupby([key, "timestamp"]).agg(
        n=("rating", "size"), total=("rating", "sum"), squares=("square", "sum")
    )
    earlier = by_second.groupby(level=0).cumsum() - by_second
    earlier = earlier.loc[pd.MultiIndex.from_frame(events[[key, "timestamp"]])]
    n = earlier["n"].where(earlier["n"] > 1)
    variance = (earlier["squares"] - earlier["total"] ** 2 / n) / (n - 1)
    return np.sqrt(variance.clip(lower=0)).to_numpy()


def as_of(samples, stored):
    """Exercise 3: the newest row of the same user, and none of the same second."""
    return pd.merge_asof(samples, stored, on="timestamp", by="user_id", allow_exact_matches=False)


def leaks_at(make, events, at):
    """Exercise 4: what a sample may not know, it must not notice."""
    changed = events.assign(rating=events.rating.where(events.timestamp < at, 1.0))
    seen = events.timestamp <= at
    return not make(events)[seen].equals(make(changed)[seen])


def psi_of_categories(then, now, n_bins=10):
    """Exercise 5: value_counts sorts by frequency, and a stable sort keeps the alphabet."""
    old = pd.Series(then).dropna()
    often = old.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    often = often.index[:n_bins]
    shares = []
    for values in (pd.Series(now), pd.Series(then)):
        bucket = values.where(values.isin(often) | values.isna(), "(other)").fillna("(missing)")
        shares.append(bucket.value_counts(normalize=True))
    p, q = (each.clip(lower=1e-4) for each in shares[0].align(shares[1], fill_value=1e-4))
    return float(((p - q) * np.log(p / q)).sum())


def alarm_threshold(n, m, n_bins=10, rate=0.01):
    """Exercise 6: the quantile of chi-square, times the variance that the two sizes give."""
    from scipy import stats

    return (1 / n + 1 / m) * stats.chi2.isf(rate, n_bins - 1)


# Exercise 7 (open). Each event needs the moment it happened and the moment it became known. A
# sample's own moment is that of the request; its label is known thirty days later, so a model can
# only be trained on samples at least thirty days old. The feature may use purchases *known* before
# the request, and of their labels only those known by then: purchases younger than thirty days are
# neither returned nor kept, and count in neither the numerator nor the denominator. To take them
# as kept would tell the model that recent customers never return anything.
