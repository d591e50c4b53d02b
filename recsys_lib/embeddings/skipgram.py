"""Skip-gram from scratch: Word2vec's three-layer network in plain numpy.

It can be trained in two ways, both from Mikolov et al. (2013): with the full softmax over the
vocabulary, or with negative sampling, which replaces one choice among ``n_items`` by a few
yes-or-no questions. This module is made to be read and checked; use
:mod:`recsys_lib.embeddings.item2vec` for real data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from recsys_lib.errors import RecsysError
from recsys_lib.seeding import generator


@dataclass(frozen=True)
class SkipGram:
    """The two weight matrices of the network.

    Attributes
    ----------
    vectors : float64 array, shape (n_items, embedding_dim)
        Input weights. Row i is the vector of item i, the result that is kept.
    contexts : float64 array, shape (n_items, embedding_dim)
        Output weights. Row j describes the company in which item j is found.
    """

    vectors: np.ndarray
    contexts: np.ndarray

    @classmethod
    def initial(cls, n_items: int, embedding_dim: int, seed: int) -> "SkipGram":
        """Return small random vectors, and contexts of zero, as in Word2vec's own code."""
        rng = generator(seed, "skipgram", "initial")
        vectors = rng.uniform(-0.5, 0.5, (n_items, embedding_dim)) / embedding_dim
        return cls(vectors, np.zeros((n_items, embedding_dim)))


def context_pairs(sequences: Sequence[Sequence[int]], window: int) -> np.ndarray:
    """Return all (centre, context) pairs at most ``window`` places apart, int64 of shape (n, 2).

    Raises
    ------
    RecsysError
        No sequence has two items, or ``window`` is below 1.
    """
    if window < 1:
        raise RecsysError(f"window must be at least 1 place, not {window}.")
    pairs = [
        (sequence[i], sequence[j])
        for sequence in sequences
        for i in range(len(sequence))
        for j in range(max(0, i - window), min(len(sequence), i + window + 1))
        if i != j
    ]
    if not pairs:
        raise RecsysError("No (centre, context) pair: every sequence is shorter than two items.")
    return np.array(pairs, dtype=np.int64)


def softmax_loss(model: SkipGram, pairs: np.ndarray) -> tuple[float, SkipGram]:
    """Return the mean cross-entropy of the full softmax and its gradients.

    Parameters
    ----------
    model : SkipGram
    pairs : int64 array, shape (n, 2)
        Centre and context, as item indices.

    Returns
    -------
    loss : float
        In nats per pair: minus the logarithm of the probability of the true context.
    gradients : SkipGram
        Derivatives of the loss by ``vectors`` and ``contexts``.
    """
    centre, context = pairs.T
    hidden = model.vectors[centre]  # (n, d): a one-hot input times the matrix picks a row
    logits = hidden @ model.contexts.T  # (n, n_items)
    logits -= logits.max(axis=1, keepdims=True)  # exp stays finite
    log_probability = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    row = np.arange(len(pairs))
    loss = -log_probability[row, context].mean()

    error = np.exp(log_probability)  # softmax and cross-entropy together: probability - target
    error[row, context] -= 1
    error /= len(pairs)
    vectors = np.zeros_like(model.vectors)
    np.add.at(vectors, centre, error @ model.contexts)
    return loss, SkipGram(vectors, error.T @ hidden)


def negative_sampling_loss(
    model: SkipGram, pairs: np.ndarray, negatives: np.ndarray
) -> tuple[float, SkipGram]:
    """Return the mean loss of negative sampling and its gradients.

    Parameters
    ----------
    model : SkipGram
    pairs : int64 array, shape (n, 2)
        Centre and context, as item indices.
    negatives : int64 array, shape (n, n_negatives)
        Negative samples: drawn contexts that the network should distinguish from the true one.

    Returns
    -------
    loss : float
        In nats per pair: ``-log s(v.c) - sum_k log s(-v.c_k)``, s being the logistic function.
    gradients : SkipGram
    """
    centre, context = pairs.T
    asked = np.column_stack([context, negatives])  # (n, 1 + n_negatives)
    sign = np.where(np.arange(asked.shape[1]) == 0, 1.0, -1.0)
    hidden = model.vectors[centre]  # (n, d)
    weights = model.contexts[asked]  # (n, 1 + n_negatives, d)
    margin = sign * np.einsum("nd,nkd->nk", hidden, weights)
    loss = np.logaddexp(0, -margin).sum(axis=1).mean()

    error = -sign * expit(-margin) / len(pairs)  # (n, 1 + n_negatives)
    vectors, contexts = np.zeros_like(model.vectors), np.zeros_like(model.contexts)
    np.add.at(vectors, centre, np.einsum("nk,nkd->nd", error, weights))
    np.add.at(contexts, asked, error[:, :, None] * hidden[:, None, :])
    return loss, SkipGram(vectors, contexts)


def noise_distribution(sequences: Sequence[Sequence[int]], n_items: int) -> np.ndarray:
    """Return the probability of each item as a negative: its count to the power .75, normalised.

    Mikolov et al. (2013) found this power best on text.
    """
    count = np.bincount(np.concatenate([np.asarray(s) for s in sequences]), minlength=n_items)
    return count**0.75 / (count**0.75).sum()


def train_skipgram(
    sequences: Sequence[Sequence[int]],
    n_items: int,
    *,
    embedding_dim: int = 2,
    window: int = 2,
    n_negatives: int = 0,
    steps: int = 500,
    learning_rate: float = 0.1,
    seed: int = 42,
) -> tuple[SkipGram, np.ndarray]:
    """Train on a small corpus by gradient descent over all pairs at once.

    Parameters
    ----------
    sequences : sequences of item indices, 0 to ``n_items - 1``
    n_items : int
        Size of the vocabulary (V in the notes).
    embedding_dim : int
        Length of a vector (N in the notes).
    window : int
        Largest distance of a context from the centre, in places.
    n_negatives : int
        Number of negative samples for each pair. 0 trains the full softmax.
    steps : int
        Number of gradient steps.
    learning_rate : float
        Step size. The gradient of the mean loss is multiplied by ``n_items`` first, because each
        item occurs in about one of ``n_items`` pairs only.
    seed : int

    Returns
    -------
    model : SkipGram
    losses : float64 array, shape (steps,)
        Loss before each step, in nats per pair.
    """
    pairs = context_pairs(sequences, window)
    noise = noise_distribution(sequences, n_items)
    rng = generator(seed, "skipgram", "negatives")
    model = SkipGram.initial(n_items, embedding_dim, seed)
    losses = np.empty(steps)
    for step in range(steps):
        if n_negatives:
            negatives = rng.choice(n_items, size=(len(pairs), n_negatives), p=noise)
            losses[step], gradient = negative_sampling_loss(model, pairs, negatives)
        else:
            losses[step], gradient = softmax_loss(model, pairs)
        model = SkipGram(
            model.vectors - learning_rate * n_items * gradient.vectors,
            model.contexts - learning_rate * n_items * gradient.contexts,
        )
    return model, losses
