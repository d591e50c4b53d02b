"""Solutions to the exercises of notebook 03; each takes the place of the function in its cell."""

import numpy as np


def pairs_with_reach(likes, reaches):
    """Exercise 1: the centre decides how far the window goes."""
    return [
        (centre, likes[j])
        for i, (centre, reach) in enumerate(zip(likes, reaches, strict=True))
        for j in range(max(0, i - reach), min(len(likes), i + reach + 1))
        if j != i
    ]


def softmax_step(W, C, centre, context, rate):
    """Exercise 2: both gradients are taken at the old weights."""
    hidden = W[centre]
    error = np.exp(C @ hidden) / np.exp(C @ hidden).sum()
    error[context] -= 1
    new_W = W.copy()
    new_W[centre] -= rate * error @ C
    return new_W, C - rate * np.outer(error, hidden)


def noise_of(counts, exponent):
    """Exercise 3: exponent 0 draws all items alike, 1 as often as they occur."""
    weight = np.asarray(counts, float) ** exponent
    return weight / weight.sum()


def gradient_of_hidden(hidden, C, context, negatives):
    """Exercise 4: what the network said less what was true, times the rows asked."""
    asked = [context, *negatives]
    error = 1 / (1 + np.exp(-C[asked] @ hidden))
    error[0] -= 1
    return error @ C[asked]


def kept(counts, t):
    """Exercise 5: the formula of section 5, cut at 1."""
    ratio = t / (counts / counts.sum())
    return np.minimum(1, np.sqrt(ratio) + ratio)


def nearest_rows(vectors, i, k):
    """Exercise 6: cosines are dot products of rows of length 1."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = unit @ unit[i]
    cosine[i] = -np.inf
    return np.argsort(-cosine, kind="stable")[:k]
