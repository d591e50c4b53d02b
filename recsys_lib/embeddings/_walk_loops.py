"""The compiled loops of :mod:`recsys_lib.embeddings.walks`.

The first call of a function compiles it, which takes seconds; numba keeps the result beside the
bytecode of this file. It notices a change of this file only: what the loops call is in here.
"""

import numpy as np
from numba import njit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S11, _S27, _S30, _S31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2 ** -53
# Rejected candidates after which a step is drawn from its whole distribution. What is accepted does
# not depend on the number of tries, so the mixture of both is exact.
_MAX_TRIES = 64


@njit(inline="always")
def _unit(state):
    """Turn a splitmix64 state into a uniform number of [0, 1) (Steele, Lea and Flood, 2014)."""
    mixed = (state ^ (state >> _S30)) * _MIX_1
    mixed = (mixed ^ (mixed >> _S27)) * _MIX_2
    mixed = mixed ^ (mixed >> _S31)
    return np.float64(mixed >> _S11) * _TO_UNIT


@njit(inline="always")
def _edge_to(indptr, indices, source, target):
    """Return the place of the edge source -> target, or -1: binary search in a sorted row."""
    low, high = indptr[source], indptr[source + 1]
    while low < high:
        middle = (low + high) >> 1
        if indices[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low if low < indptr[source + 1] and indices[low] == target else -1


@njit(inline="always")
def _bias(indptr, indices, previous, target, return_bias, away_bias):
    """Return node2vec's factor on the edge to ``target`` for a walk that came from ``previous``."""
    if target == previous:
        return return_bias
    return 1.0 if _edge_to(indptr, indices, previous, target) >= 0 else away_bias


@njit(nogil=True, cache=True)
def _exact_step(indptr, indices, weights, previous, node, return_bias, away_bias, unit):
    """Draw the next node by weighing all edges of ``node``: slow, and sure to end."""
    total = 0.0
    for edge in range(indptr[node], indptr[node + 1]):
        bias = _bias(indptr, indices, previous, indices[edge], return_bias, away_bias)
        total += weights[edge] * bias
    left = unit * total
    for edge in range(indptr[node], indptr[node + 1]):
        bias = _bias(indptr, indices, previous, indices[edge], return_bias, away_bias)
        left -= weights[edge] * bias
        if left < 0.0:
            break
    return np.int64(indices[edge])  # the last edge, where rounding left a rest


@njit(nogil=True, cache=True)
def alias_tables(indptr, weights):
    """Prepare constant-time draws by weight: Vose's alias method for the edges of each node.

    Slot i of a row keeps itself with probability ``threshold[i]`` and gives ``alias[i]`` (an edge
    number within the row) otherwise. ``totals`` are the sums of weights of each node.
    """
    n_edges = len(weights)
    threshold = np.ones(n_edges)
    alias = np.zeros(n_edges, np.int32)
    work = np.empty(n_edges, np.int32)
    totals = np.zeros(len(indptr) - 1)
    for node in range(len(indptr) - 1):
        begin, degree = indptr[node], indptr[node + 1] - indptr[node]
        for i in range(degree):
            totals[node] += weights[begin + i]
        n_small, n_large = 0, degree  # a stack from each end of the row's part of ``work``
        for i in range(degree):
            threshold[begin + i] = weights[begin + i] / totals[node] * degree
            alias[begin + i] = i
            if threshold[begin + i] < 1.0:
                work[begin + n_small] = i
                n_small += 1
            else:
                n_large -= 1
                work[begin + n_large] = i
        while n_small > 0 and n_large < degree:
            n_small -= 1
            small, large = work[begin + n_small], work[begin + n_large]
            alias[begin + small] = large
            threshold[begin + large] -= 1.0 - threshold[begin + small]
            if threshold[begin + large] < 1.0:
                n_large += 1
                work[begin + n_small] = large
                n_small += 1
        # What is left on either stack is 1 up to rounding.
        for i in range(n_small):
            threshold[begin + work[begin + i]] = 1.0
        for i in range(n_large, degree):
            threshold[begin + work[begin + i]] = 1.0
    return threshold, alias, totals


@njit(nogil=True, cache=True)
def walk(indptr, indices, weights, threshold, alias, totals, p, q, starts, streams, walks):
    """Fill ``walks`` (m, walk_length) from ``starts`` (m,), one random stream a walk."""
    first_order = p == 1.0 and q == 1.0
    return_bias, away_bias = 1.0 / p, 1.0 / q
    # Candidates are accepted with bias / ceiling. Where returning has the largest bias, what it
    # has above the ceiling is drawn apart, so that one edge does not slow all others down.
    ceiling, floor = max(1.0, away_bias), min(1.0, away_bias)
    for row in range(len(starts)):
        state = streams[row]
        previous, node = -1, starts[row]
        walks[row, 0] = node
        for place in range(1, walks.shape[1]):
            begin, degree = indptr[node], indptr[node + 1] - indptr[node]
            if degree == 0:
                break
            extra = 0.0
            if return_bias > ceiling and previous >= 0:
                back = _edge_to(indptr, indices, node, previous)
                if back >= 0:
                    extra = weights[back] * (return_bias - ceiling)
            target = np.int64(-1)
            tries = 0
            while target < 0:
                tries += 1
                if tries > _MAX_TRIES:
                    state += _GOLDEN
                    whole = (indptr, indices, weights, previous, node, return_bias, away_bias)
                    target = _exact_step(*whole, _unit(state))
                    break
                if extra > 0.0:
                    state += _GOLDEN
                    if _unit(state) * (totals[node] * ceiling + extra) < extra:
                        target = previous
                        break
                state += _GOLDEN
                draw = _unit(state) * degree
                slot = np.int64(draw)
                if draw - slot >= threshold[begin + slot]:
                    slot = np.int64(alias[begin + slot])
                candidate = np.int64(indices[begin + slot])
                if first_order or previous < 0:
                    target = candidate
                    break
                state += _GOLDEN
                level = _unit(state) * ceiling
                if candidate == previous:
                    if level < return_bias:
                        target = candidate
                elif level < floor:  # accepted whether near or away: spare the search
                    target = candidate
                else:
                    near = _edge_to(indptr, indices, previous, candidate) >= 0
                    if level < (1.0 if near else away_bias):
                        target = candidate
            previous, node = node, target
            walks[row, place] = node
