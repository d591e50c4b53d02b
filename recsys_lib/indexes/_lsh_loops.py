"""The compiled loops of :mod:`recsys_lib.indexes.lsh`.

The first call of a function compiles it, which takes seconds; numba keeps the result beside the
bytecode of this file. They hold the interpreter's lock on purpose: the marks are shared.
"""

import heapq

import numpy as np
from numba import njit


@njit(inline="always")
def _take(table, key, buckets, marks, rows, n_rows):
    """Append the rows of a bucket that bear no mark yet, and mark them; return the new count."""
    keys, starts, members, directory, shift = buckets
    slot = key >> shift
    place, end = directory[table, slot], directory[table, slot + 1]
    while place < end and keys[place] < key:
        place += 1
    if place < end and keys[place] == key:
        for i in range(starts[place], starts[place + 1]):
            row = members[i]
            if not marks[row]:
                marks[row] = True
                rows[n_rows] = row
                n_rows += 1
    return n_rows


@njit(inline="always")
def _sort_by(cost, order):
    """Set ``order`` to the places of ``cost`` from the least to the greatest."""
    for i in range(len(cost)):
        place = i
        while place > 0 and cost[i] < cost[order[place - 1]]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = i


@njit
def _gather(keys, cost, step, n_probes, main, recent, marks, rows):
    """Write the candidates of one query to ``rows``, each once, and return their number.

    First the query's own bucket of each table, then ``n_probes`` further ones: sets of moves, in
    order of their total cost over all tables (query-directed probing; Lv et al., 2007, section
    4.4). With a table's moves sorted by cost, a set grows from another by exchanging its last
    move for the next one (shift) or by adding the next one (expand), so that a heap meets each
    set once and never after a dearer one. Two moves of one function make no bucket: such a set is
    passed over, and so is what expands it.

    Parameters
    ----------
    keys : uint64 (n_tables,)
    cost, step : float32 and uint64 (n_tables, n_hashes, n_ways)
        What each move of a function costs, and what it adds to the key.
    main, recent : the buckets of all but the latest rows, and of those
    marks : bool (n_rows,), True for rows to leave out; the caller takes the new marks away again
    """
    n_tables, n_hashes, n_ways = cost.shape
    n_rows = 0
    for table in range(n_tables):
        n_rows = _take(table, keys[table], main, marks, rows, n_rows)
        n_rows = _take(table, keys[table], recent, marks, rows, n_rows)
    if n_probes == 0:
        return n_rows
    n_moves = n_hashes * n_ways
    cost, step = cost.reshape((n_tables, n_moves)), step.reshape((n_tables, n_moves))
    order = np.empty((n_tables, n_moves), np.int64)
    sets, heap = [], []  # of key, table, place of the last move, functions of the other moves
    for table in range(n_tables):
        _sort_by(cost[table], order[table])
        move = order[table, 0]
        sets.append((keys[table] + step[table, move], table, 0, np.int64(0)))
        heap.append((cost[table, move], table))
    heapq.heapify(heap)
    probes = 0
    while probes < n_probes and len(heap) > 0:
        total, number = heapq.heappop(heap)
        key, table, last, others = sets[number]
        move = order[table, last]
        own = np.int64(1) << (move // n_ways)
        valid = others & own == 0
        if valid:
            probes += 1
            n_rows = _take(table, key, main, marks, rows, n_rows)
            n_rows = _take(table, key, recent, marks, rows, n_rows)
        if last + 1 < n_moves:
            following = order[table, last + 1]
            total, key = total + cost[table, following], key + step[table, following]
            if valid:
                heapq.heappush(heap, (total, len(sets)))
                sets.append((key, table, last + 1, others | own))
            heapq.heappush(heap, (total - cost[table, move], len(sets)))
            sets.append((key - step[table, move], table, last + 1, others))
    return n_rows


@njit(cache=True)
def candidates(keys, cost, step, n_probes, main, recent, marks):
    """Return the candidates of one query: int32 (any,), ascending."""
    rows = np.empty(len(marks), np.int32)
    n = _gather(keys, cost, step, n_probes, main, recent, marks, rows)
    for i in range(n):
        marks[rows[i]] = False
    return np.sort(rows[:n])


# Sums may be taken in any order, so that several terms go at once; infinity stays what it is.
@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def nearest(queries, cosine, vectors, keys, cost, step, n_probes, main, recent, marks, k):
    """Return rows and distances (m, k) of each query's nearest candidates; the rest is infinite."""
    found = np.zeros((len(queries), k), np.int64)
    distances = np.full((len(queries), k), np.inf, np.float32)
    rows = np.empty(len(vectors), np.int32)
    for q in range(len(queries)):
        query, best, best_row = queries[q], distances[q], found[q]
        n = _gather(keys[q], cost[q], step[q], n_probes, main, recent, marks, rows)
        n_found = 0
        for i in range(n):
            row = rows[i]
            marks[row] = False
            distance = np.float32(0)
            if cosine:
                for d in range(len(query)):
                    distance -= query[d] * vectors[row, d]
                distance += np.float32(1)
            else:
                for d in range(len(query)):
                    difference = query[d] - vectors[row, d]
                    distance += difference * difference
            # Insertion into the sorted best so far; of equals the earlier row comes first.
            place = n_found if n_found < k else k - 1
            if n_found == k and (distance, row) >= (best[place], best_row[place]):
                continue
            while place > 0 and (distance, row) < (best[place - 1], best_row[place - 1]):
                best[place], best_row[place] = best[place - 1], best_row[place - 1]
                place -= 1
            best[place], best_row[place] = distance, row
            n_found = min(n_found + 1, k)
        if not cosine:
            for i in range(n_found):
                best[i] = np.sqrt(best[i])
    return found, distances
