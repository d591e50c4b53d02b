"""Solutions to the exercises of notebook 06; each takes the place of the function in its cell."""

import math

from recsys_lib.indexes import collision_probability


def slice_of(x, v, b, w):
    """Exercise 1: floor goes down, also below 0."""
    return math.floor((sum(a * c for a, c in zip(x, v, strict=True)) + b) / w)


def s_curve(p, k, L):
    """Exercise 2: a table fails with 1 - p^k, and all L fail independently."""
    return 1 - (1 - p**k) ** L


def tables_for(p, k, target):
    """Exercise 3: the S-curve solved for L."""
    return math.ceil(math.log(1 - target) / math.log(1 - p**k))


def threshold(k, L, w):
    """Exercise 4: the left end is always examined more often than half of the time."""
    left, right = 1e-6 * w, 100 * w
    while right - left > 1e-5 * w:
        middle = (left + right) / 2
        if collision_probability(middle, w, k, L) > 0.5:
            left = middle
        else:
            right = middle
    return left


def side_key(x, planes):
    """Exercise 5: a number in base 2, the first plane its lowest digit."""
    return sum(int(x @ plane >= 0) << i for i, plane in enumerate(planes))


def predicted_recall(index, distances):
    """Exercise 6: AND and OR by hand, on the probability of one function."""
    p = collision_probability(distances, index.width)
    return float((1 - (1 - p**index.n_hashes) ** index.n_tables).mean())
