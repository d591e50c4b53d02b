"""The compiled loops of :mod:`recsys_lib.recall.lsh`.

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


@njit(cache=True)
def gather(keys, cost, step, function, n_probes, main, recent, marks, rows):
    """Write the candidates of one query to ``rows``, each once, and return their number.

    First the query's own bucket of each table, then ``n_probes`` further ones: sets of moves, in
    order of their total cost over all tables (query-directed probing; Lv et al., 2007, section
    4.4). Positions of a table are sorted by cost. A set grows from another by moving its last
    position on by one (shift) or by adding the next one (expand), so that a heap meets each set
    once and never after a dearer one. Two moves of one function make no bucket: such a set is
    passed over, and so is what expands it.

    Parameters
    ----------
    keys : uint64 (n_tables,); cost : float32, step : uint64, function : int64 (n_tables, n_moves)
    main, recent : the buckets of all but the latest rows, and of those
    marks : bool (n_rows,), True for rows to leave out; the caller takes our marks away again
    """
    n_tables, n_moves = cost.shape
    n_rows = 0
    for table in range(n_tables):
        n_rows = _take(table, keys[table], main, marks, rows, n_rows)
        n_rows = _take(table, keys[table], recent, marks, rows, n_rows)
    if n_probes == 0 or n_moves == 0:
        return n_rows
    # (total cost, key, table, last position, functions moved by the other positions)
    heap = [(cost[t, 0], keys[t] + step[t, 0], t, 0, np.int64(0)) for t in range(n_tables)]
    heapq.heapify(heap)
    probes = 0
    while probes < n_probes and len(heap) > 0:
        total, key, table, last, others = heapq.heappop(heap)
        own = np.int64(1) << function[table, last]
        valid = others & own == 0
        if valid:
            probes += 1
            n_rows = _take(table, key, main, marks, rows, n_rows)
            n_rows = _take(table, key, recent, marks, rows, n_rows)
        if last + 1 < n_moves:
            following, further = cost[table, last + 1], key + step[table, last + 1]
            shifted = total - cost[table, last] + following
            heapq.heappush(heap, (shifted, further - step[table, last], table, last + 1, others))
            if valid:
                heapq.heappush(heap, (total + following, further, table, last + 1, others | own))
    return n_rows


# Sums may be taken in any order, so that several terms go at once; infinity stays what it is.
@njit(cache=True, fastmath={"reassoc", "contract"})
def nearest(queries, cosine, vectors, keys, cost, step, function, n_probes, main, recent, marks, k):
    """Return rows and distances (m, k) of each query's nearest candidates; the rest is infinite."""
    found = np.zeros((len(queries), k), np.int64)
    distances = np.full((len(queries), k), np.inf, np.float32)
    rows = np.empty(len(vectors), np.int32)
    for q in range(len(queries)):
        query, best, best_row = queries[q], distances[q], found[q]
        n = gather(keys[q], cost[q], step[q], function[q], n_probes, main, recent, marks, rows)
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
