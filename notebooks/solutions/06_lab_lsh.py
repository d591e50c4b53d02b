"""Solution to the exercise of the lab of hashing; it takes the place of the function."""

import math


def tables_needed(p, miss):
    """Exercise 1: all N tables miss with (1 - p)^N; a hair off, lest rounding adds a table."""
    return math.ceil(math.log(miss) / math.log(1 - p) - 1e-12)
