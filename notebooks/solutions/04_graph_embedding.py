"""Solutions to the exercises of notebook 04; each takes the place of the function in its cell."""

from itertools import pairwise

import numpy as np


def decayed_edges(lists):
    """Exercise 1: the age of a list is how many lists came later."""
    weights = {}
    for age, likes in enumerate(reversed(lists)):
        for edge in pairwise(likes):
            weights[edge] = weights.get(edge, 0) + 0.5**age
    return weights


def second_order(matrix, before, node, p, q):
    """Exercise 2: near where the row of the node before is not zero, then the way back."""
    bias = np.where(matrix[before] > 0, 1, 1 / q)
    bias = np.where(np.arange(len(bias)) == before, 1 / p, bias)
    weight = bias * matrix[node]
    return weight / weight.sum()


def second_order_of_the_authors(matrix, before, node, p, q):
    """Exercise 3: the column in place of the row."""
    bias = np.where(matrix[:, before] > 0, 1, 1 / q)
    bias = np.where(np.arange(len(bias)) == before, 1 / p, bias)
    weight = bias * matrix[node]
    return weight / weight.sum()


def z_of_share(hits, n, exact):
    """Exercise 4: a share of n draws has the variance exact (1 - exact) / n."""
    return (hits / n - exact) / np.sqrt(exact * (1 - exact) / n)


def modularity_of(matrix, labels):
    """Exercise 5: the matrix holds each edge twice, so its sum is 2 m."""
    twice_m, degree = matrix.sum(), matrix.sum(axis=1)
    inside = matrix[labels[:, None] == labels].sum() / twice_m
    return inside - sum((degree[labels == c].sum() / twice_m) ** 2 for c in np.unique(labels))


# Exercise 6 (open). Sessions of three clicks give two edges each. One may join all pairs of a
# session, with a weight that falls with the distance, and add edges from other events: bought
# together, same search. An item in every basket has edges to everything, so walks pass through it
# all the time and bring strangers together. Divide each weight by the degrees of both ends (or
# their roots), or leave such edges out: it is what downsampling does with frequent words, before
# the walk in place of after it.
