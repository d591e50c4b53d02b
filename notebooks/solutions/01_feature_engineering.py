"""Solutions to the exercises of notebook 01; each takes the place of the function in its cell."""

import numpy as np


def robust_fit(values):
    """Exercise 1: the median and the distance between the quartiles."""
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75])
    return median, upper - lower


def robust_transform(values, learned):
    """Exercise 1: nothing is learned here."""
    median, spread = learned
    return (values - median) / spread


def slots_with_threshold(values, at_least):
    """Exercise 2: count, sort, number."""
    different, times = np.unique(list(values), return_counts=True)
    return {value: slot for slot, value in enumerate(different[times >= at_least].tolist())}


def buckets_in_use(values, n):
    """Exercise 3: equal cuts are one, and the buckets that no value reaches do not count."""
    cuts = np.quantile(values, np.arange(1, n) / n, method="inverted_cdf")
    return len(np.unique(np.searchsorted(np.unique(cuts), values, side="right")))


def hashed_place(value, n):
    """Exercise 4: Python's own hash of a text differs from process to process; crc32 does not."""
    import zlib

    return zlib.crc32(str(value).encode()) % n


def normalize_rows(rows, p):
    """Exercise 5: numpy has the norm for infinity too; a norm of zero divides by one."""
    norms = np.linalg.norm(rows, ord=p, axis=1, keepdims=True)
    return rows / np.where(norms == 0, 1, norms)


def cosine_ties(shared):
    """Exercise 6: the diagonal holds the numbers of likes."""
    n = np.diag(shared)
    return shared / np.sqrt(np.outer(n, n))


# Exercise 7 (open). Boosted trees cut each feature at thresholds, so any transform that keeps the
# order changes nothing for them but rounding. A linear model needs the logarithm: it can only
# multiply a price by one weight, and a price of a million would outweigh all others. Embeddings of
# buckets let a network learn another level for each range of prices, without an order; they
# cost parameters, and values next to a cut fall apart.
