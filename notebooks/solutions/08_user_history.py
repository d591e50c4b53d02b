"""Solutions to the exercises of 08_user_history, each for the function in its cell."""

import numpy as np


def masked_mean(vectors, known):
    """Exercise 1: the sum of the known over how many there are."""
    count = np.maximum(known.sum(axis=1), 1)
    return (vectors * known[..., None]).sum(axis=1) / count[:, None]


def masked_softmax(scores, known):
    """Exercise 2: a missing film has the score of minus infinity."""
    scores = np.where(known, scores, -np.inf)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def next_item_loss(states, following, others):
    """Exercise 3: -log sigma(x) is log(1 + exp(-x))."""
    right, wrong = (states * following).sum(axis=1), (states * others).sum(axis=1)
    return float((np.logaddexp(0, -right) + np.logaddexp(0, wrong)).mean())


def before(times, films, moment, length):
    """Exercise 4: the first place whose time is not before the moment ends the list."""
    until = int(np.searchsorted(times, moment))
    return films[max(0, until - length) : until][::-1]


def same_interest(weights, vectors, other_weights, other_vectors):
    """Exercise 5: a sum does not know the order of its terms."""
    return bool(np.allclose(weights @ vectors, other_weights @ other_vectors))


# Exercise 6 (open). What happened to a liked film belongs to that film: its vector can have the
# share that was watched beside it, which attention then reads with the rest, or paused films form a
# second history with attention of its own, so that the network may give them negative weights. The
# toy of section 2 is the one to change: let the film of the candidate's topic be good or bad by the
# share watched, not by its number, and compare DIN with and without that share.
