"""Solutions to the exercises of notebook 12; each takes the place of the function in its cell."""

import math

import numpy as np


def cores_for(rate, work_s, load):
    """Exercise 1: the busy cores, divided by how busy each may be."""
    return math.ceil(rate * work_s / load)


def mean_time(rate, work_s, c):
    """Exercise 2: the mean wait, and the work itself."""
    load = rate * work_s
    return work_s * (1 + load / (1 - load) * (1 + c**2) / 2)


def che_time(p, size):
    """Exercise 3: the sum grows with t, so an interval around the answer can be halved."""
    low, high = 0.0, 1.0
    while (1 - np.exp(-p * high)).sum() < size:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        if (1 - np.exp(-p * middle)).sum() < size:
            low = middle
        else:
            high = middle
    return middle


def hit_rate_with_ttl(rates, ttl_s):
    """Exercise 4: each list is made once and found rate x life times."""
    found = rates * ttl_s
    return (rates / rates.sum()) @ (found / (1 + found))


def availability(a, fallback):
    """Exercise 5: without an answer is who meets a dead part and a dead default list."""
    return 1 - (1 - math.prod(a)) * (1 - fallback)


# Exercise 6: the first request, the one after a rating, and the one with Redis back.
needed_redis = 3
