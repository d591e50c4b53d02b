"""The compiled loop of :mod:`recsys_lib.embeddings.fast`.

numba keeps the compiled code beside the bytecode of this file, and notices a change of this file
only: what the loop calls is in here.
"""

import numpy as np
from numba import njit

_LAST_STEP = 1e-4  # where the falling learning rate ends, as in Word2vec's own code
_TO_UNIT = np.float32(1.0 / 16_777_216.0)  # 2 ** -24
_LARGEST = np.float32(30.0)  # exp stays finite


@njit(inline="always")
def _next(state):
    """Step a 64-bit xorshift generator (Marsaglia, 2003); the state is never 0."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state


@njit(inline="always")
def _compose(item, slots, rows, row_of, attention, vectors, share, means, hidden):
    """Set ``hidden`` to an item's vector: its slots' means, weighted by softmax(attention).

    Returns by how much ``hidden`` moves when :func:`_spread` takes a step of 1.
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
def _spread(item, slots, rows, row_of, attention, vectors, share, means, hidden, step):
    """Take ``step`` (minus the loss's gradient by ``hidden``) down to rows and attention."""
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
    ``row_of[rows[slot + 1]]``. ``noise`` holds negatives to draw from, its length a power of two;
    ``keep`` the probability with which an occurrence is not thinned out. ``done`` of ``total``
    tokens were trained on before; the step falls in proportion.
    """
    dim = vectors.shape[1]
    one = np.float32(1)
    most_slots = 0
    for item in range(len(slots) - 1):
        most_slots = max(most_slots, slots[item + 1] - slots[item])
    share, means = np.empty(most_slots, np.float32), np.empty((most_slots, dim), np.float32)
    hidden, start = np.empty(dim, np.float32), np.empty(dim, np.float32)
    step, whole = np.empty(dim, np.float32), np.empty(dim, np.float32)
    longest = 0
    for s in range(len(offsets) - 1):
        longest = max(longest, offsets[s + 1] - offsets[s])
    kept = np.empty(longest, np.int32)
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
        for i in range(n_kept):
            state = _next(state)
            reach = 1 + np.int64((state >> np.uint64(33)) % np.uint64(window))
            moves = _compose(kept[i], slots, rows, row_of, attention, vectors, share, means, hidden)
            start[:] = hidden
            whole[:] = 0
            for j in range(max(0, i - reach), min(n_kept, i + reach + 1)):
                if j == i:
                    continue
                step[:] = 0
                for question in range(n_negatives + 1):
                    asked = kept[j]
                    if question > 0:
                        state = _next(state)
                        asked = noise[(state >> np.uint64(20)) & mask]
                        if asked == kept[j]:
                            continue
                    context = contexts[asked]
                    score = np.float32(0)
                    for d in range(dim):
                        score += hidden[d] * context[d]
                    score = min(max(score, -_LARGEST), _LARGEST)
                    error = rate * (np.float32(question == 0) - one / (one + np.exp(-score)))
                    for d in range(dim):
                        step[d] += error * context[d]
                        context[d] += error * hidden[d]
                for d in range(dim):
                    whole[d] += step[d]
                    hidden[d] += moves * step[d]
            _spread(kept[i], slots, rows, row_of, attention, vectors, share, means, start, whole)
