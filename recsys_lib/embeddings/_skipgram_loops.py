"""The compiled loop of :mod:`recsys_lib.embeddings.item2vec_numba`.

**Shared negatives.** Skip-gram with negative sampling asks, for a centre with the vector h and each
of its contexts, one question about the context and one about each of K negatives drawn for it. Here
up to m contexts of one centre share K negatives (Ji, Satish, Li and Dubey: Parallelizing Word2Vec
in shared and distributed memory, 2016), so m + K questions replace m (1 + K). Let g(n) be the
gradient of the question about the negative n. If each context draws for itself, m contexts add
m K terms g(n), whose expectation is m K E[g(n)]. With common draws they add K terms, so each must
be weighted by m to have the same expectation. Word2vec asks nothing about a negative that is
the context itself; a shared one is therefore weighted by the number of contexts in the group that
differ from it. The variance grows, and a step of m times the rate may overshoot. Groups are
therefore small (those of 8 and more cost recall on the validation part of MovieLens 100K), and
smaller still where the rate is high. Within a group h stays fixed, so that no question waits for
another; then h takes one step.

numba keeps the compiled code beside the bytecode of this file, and notices a change of this file
only: what the loop calls is in here.
"""

import numpy as np
from numba import njit

_LAST_STEP = 1e-4  # where the falling learning rate ends, as in Word2vec's own code
_TO_UNIT = np.float32(1.0 / 16_777_216.0)  # 2 ** -24
_LARGEST = np.float32(30.0)  # exp stays finite
_GROUP = 4  # contexts that share negatives, at most
_LARGEST_STEP = 0.4  # of a shared question

# The logistic function from -8 to 8 by table, as in Word2vec's own code: within .002 of it.
_BINS_A_UNIT = 64
_BINS = (np.arange(16 * _BINS_A_UNIT) + 0.5) / _BINS_A_UNIT - 8
_SIGMOID = (1 / (1 + np.exp(-_BINS))).astype(np.float32)


@njit(inline="always")
def _sigmoid(score):
    inside = min(max(score, np.float32(-8)), np.float32(7.99))
    return _SIGMOID[np.int64((inside + np.float32(8)) * np.float32(_BINS_A_UNIT))]


@njit(inline="always")
def _next(state):
    """Step a 64-bit xorshift generator (Marsaglia, 2003); the state is never 0."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state


@njit(inline="always")
def _compose(item, slots, rows, row_of, attention, vectors, share, means, hidden):
    """Set ``hidden`` to an item's vector: the means of its slots, weighted by softmax(attention).

    Returns by how much ``hidden`` moves when :func:`_backpropagate` takes a step of 1.
    """
    first, last = slots[item], slots[item + 1]
    total = np.float32(0)
    for slot in range(first, last):
        share[slot - first] = np.exp(attention[slot])
        total += share[slot - first]
    hidden[:] = 0
    moves = np.float32(0)
    for slot in range(first, last):
        share[slot - first] /= total
        mean = means[slot - first]
        mean[:] = 0
        for place in range(rows[slot], rows[slot + 1]):
            row = vectors[row_of[place]]
            for d in range(len(hidden)):
                mean[d] += row[d]
        scale = np.float32(1.0 / (rows[slot + 1] - rows[slot]))
        for d in range(len(hidden)):
            mean[d] *= scale
            hidden[d] += share[slot - first] * mean[d]
        moves += scale * share[slot - first] ** 2
    return moves


@njit(inline="always")
def _backpropagate(item, slots, rows, row_of, attention, vectors, share, means, hidden, step):
    """Apply ``step`` (minus the gradient of the loss by ``hidden``) to rows and attention."""
    first = slots[item]
    for slot in range(first, slots[item + 1]):
        weight = share[slot - first]
        gain = np.float32(0)
        for d in range(len(hidden)):
            gain += step[d] * (means[slot - first, d] - hidden[d])
        attention[slot] = min(max(attention[slot] + weight * gain, -_LARGEST), _LARGEST)
        weight /= np.float32(rows[slot + 1] - rows[slot])
        for place in range(rows[slot], rows[slot + 1]):
            row = vectors[row_of[place]]
            for d in range(len(hidden)):
                row[d] += weight * step[d]


@njit(nogil=True, fastmath=True, cache=True)
def train_block(
    tokens, offsets, slots, rows, row_of, attention, vectors, contexts, noise, keep,
    window, n_negatives, first_step, done, total, seed,
):  # fmt: skip
    """Pass once over sequences, updating ``attention``, ``vectors`` and ``contexts`` in place.

    Sequence s is ``tokens[offsets[s]:offsets[s + 1]]`` (item indices). Item i has the slots
    ``slots[i]`` to ``slots[i + 1]``; a slot is the mean of ``vectors`` at ``row_of[rows[slot]]`` to
    ``row_of[rows[slot + 1]]``. ``noise`` holds negatives to draw from, and its length is a power
    of two. ``keep`` is the probability that an occurrence is not left out by downsampling. The
    learning rate falls in proportion to ``done``, the number of the ``total`` tokens that were
    trained on before.
    """
    dim = vectors.shape[1]
    most_slots = 0
    for item in range(len(slots) - 1):
        most_slots = max(most_slots, slots[item + 1] - slots[item])
    share, means = np.empty(most_slots, np.float32), np.empty((most_slots, dim), np.float32)
    hidden, start = np.empty(dim, np.float32), np.empty(dim, np.float32)
    step, whole = np.empty(dim, np.float32), np.empty(dim, np.float32)
    longest = 0
    for s in range(len(offsets) - 1):
        longest = max(longest, offsets[s + 1] - offsets[s])
    kept, group = np.empty(longest, np.int32), np.empty(_GROUP, np.int32)
    mask = np.uint64(len(noise) - 1)
    state = seed
    for s in range(len(offsets) - 1):
        n_kept = 0
        for place in range(offsets[s], offsets[s + 1]):
            state = _next(state)
            if np.float32(state >> np.uint64(40)) * _TO_UNIT < keep[tokens[place]]:
                kept[n_kept] = tokens[place]
                n_kept += 1
        rate = np.float32(max(_LAST_STEP, first_step * (1 - (done + offsets[s]) / total)))
        n_sharing = max(1, min(_GROUP, int(_LARGEST_STEP / rate)))
        for i in range(n_kept):
            state = _next(state)
            reach = 1 + np.int64((state >> np.uint64(33)) % np.uint64(window))
            moves = _compose(kept[i], slots, rows, row_of, attention, vectors, share, means, hidden)
            start[:] = hidden
            whole[:] = 0
            end = min(n_kept, i + reach + 1)
            for first in range(max(0, i - reach), end, n_sharing):
                n_group = 0
                for j in range(first, min(first + n_sharing, end)):
                    if j != i:
                        group[n_group] = kept[j]
                        n_group += 1
                step[:] = 0
                for question in range(n_group + n_negatives):
                    if question < n_group:
                        asked, weight, answer = group[question], rate, np.float32(1)
                    else:
                        state = _next(state)
                        asked, answer = noise[(state >> np.uint64(20)) & mask], np.float32(0)
                        n_other = 0
                        for g in range(n_group):
                            n_other += group[g] != asked
                        weight = rate * np.float32(n_other)
                    score = np.float32(0)
                    for d in range(dim):
                        score += hidden[d] * contexts[asked, d]
                    error = weight * (answer - _sigmoid(score))
                    for d in range(dim):
                        step[d] += error * contexts[asked, d]
                        contexts[asked, d] += error * hidden[d]
                for d in range(dim):
                    whole[d] += step[d]
                    hidden[d] += moves * step[d]
            _backpropagate(
                kept[i], slots, rows, row_of, attention, vectors, share, means, start, whole
            )
