"""From what a film is made of to the vector that it would have learned (S23, C17).

All three models learn from films that have both content and a vector, and guess the vector of a
film that has content alone.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.matrix import index_of
from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.als import ImplicitALS
from recsys_lib.schema import ITEM
from recsys_lib.seeding import DEFAULT_SEED, generator


@dataclass(frozen=True)
class ContentEncoder:
    """Content as numbers: a column a value, the rarer the value the larger the number.

    A value that ``n_v`` of ``n`` films have counts ``log(n / n_v)``; rows have length 1.

    Attributes
    ----------
    values : list of str
        ``field=value``, sorted.
    weights : float64 array, shape (n_values,)
    """

    values: list[str]
    weights: np.ndarray

    @classmethod
    def of(cls, side: pd.DataFrame) -> "ContentEncoder":
        """Learn the values of a table that :func:`recsys_lib.embeddings.side_information` gives."""
        counts = _names(side).value_counts().sort_index()
        rarity = np.log(side[ITEM].nunique() / counts.to_numpy(np.float64))
        return cls(list(counts.index), rarity)

    def encode(self, side: pd.DataFrame, item_ids: np.ndarray) -> np.ndarray:
        """Return float64, (n_items, n_values); an item without known content is a row of zeros.

        Parameters
        ----------
        side : DataFrame
        item_ids : int64 array, shape (n_items,), sorted and unique
        """
        row = index_of(item_ids, side[ITEM])
        column = pd.Index(self.values, dtype=object).get_indexer(pd.Index(_names(side)))
        kept = (row >= 0) & (column >= 0)
        content = np.zeros((len(item_ids), len(self.values)))
        content[row[kept], column[kept]] = self.weights[column[kept]]
        length = np.linalg.norm(content, axis=1, keepdims=True)
        return content / np.where(length > 0, length, 1)


def _names(side: pd.DataFrame) -> pd.Series:
    return side["field"] + "=" + side["value"].astype(str)


class ContentModel(ABC):
    """Guesses vectors from content; what is learned ends in an underscore."""

    @abstractmethod
    def fit(self, content: np.ndarray, vectors: np.ndarray) -> Self:
        """Learn from content, (n, n_values), and the vectors that go with it, (n, dim)."""

    @abstractmethod
    def predict(self, content: np.ndarray) -> np.ndarray:
        """Return a vector for each row of content: float64, (m, dim)."""


class MeanOfSimilar(ContentModel):
    """The mean vector of the films with the most similar content, weighted by the cosine.

    Unlike :func:`recsys_lib.embeddings.mean_of_similar` it keeps the vectors' lengths, which in a
    factor model say how popular a film is.

    Parameters
    ----------
    k : int
        Films that are averaged. A film without any content gets the mean of all.
    """

    def __init__(self, *, k: int = 20):
        self.k = k

    def fit(self, content, vectors):
        if self.k < 1:
            raise RecsysError(f"k must be at least 1, not {self.k}.")
        self.content_, self.vectors_ = content, np.asarray(vectors, np.float64)
        return self

    def predict(self, content):
        cosine = content @ self.content_.T  # (m, n)
        if self.k < cosine.shape[1]:
            kth = -np.partition(-cosine, self.k - 1, axis=1)[:, self.k - 1 : self.k]
            cosine = np.where(cosine >= kth, cosine, 0)
        total = cosine.sum(axis=1, keepdims=True)
        mean = cosine @ self.vectors_ / np.where(total > 0, total, 1)
        return np.where(total > 0, mean, self.vectors_.mean(axis=0))


class ContentRidge(ContentModel):
    """A linear map from content to vector, ``(C^T C + regularization I)^-1 C^T V``, both centred.

    A film without any content gets the mean of all vectors.

    Parameters
    ----------
    regularization : float
    """

    def __init__(self, *, regularization: float = 3.0):
        self.regularization = regularization

    def fit(self, content, vectors):
        if not self.regularization > 0:
            raise RecsysError(f"regularization must be positive, not {self.regularization}.")
        n = max(len(vectors), 1)  # of no film with content nothing is learned: vectors of zeros
        self.centre_ = content.sum(axis=0) / n
        self.mean_ = np.sum(vectors, axis=0, dtype=np.float64) / n
        c = content - self.centre_
        gram = c.T @ c + self.regularization * np.eye(c.shape[1])
        self.weights_ = np.linalg.solve(gram, c.T @ (vectors - self.mean_))
        return self

    def predict(self, content):
        known = content.any(axis=1, keepdims=True)
        return self.mean_ + np.where(known, content - self.centre_, 0) @ self.weights_


class DropoutNet(ContentModel):
    """A network from vector and content to vector, whose input vector is often missing.

    With probability ``dropout`` the vector at the input is replaced by zeros, so that the network
    learns to make do with the content when there is nothing else, and to prefer the vector when
    there is one (Volkovs, Yu and Poutanen: DropoutNet: addressing cold start in recommender
    systems, 2017). With ``dropout=1`` it is the content-only network of their ablation. Only films
    are cold here, so users keep their vectors; the paper's squared error over all pairs,
    ``sum_u (u . v - u . v')^2``, is then ``(v - v')^T U^T U (v - v')`` and needs no pairs.

    Parameters
    ----------
    dropout : float
        In [0, 1].
    hidden : int
        Units of the one hidden layer (tanh).
    epochs : int
        Passes over the films, in batches of 100, by Adam.
    learning_rate, weight_decay : float
    user_vectors : float array, shape (n_users, dim), optional
        Of the same model; without them all directions count the same.
    seed : int
    """

    def __init__(
        self,
        *,
        dropout: float = 0.5,
        hidden: int = 64,
        epochs: int = 60,
        learning_rate: float = 0.01,
        weight_decay: float = 1e-3,
        user_vectors: np.ndarray | None = None,
        seed: int = DEFAULT_SEED,
    ):
        self.dropout = dropout
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.user_vectors = user_vectors
        self.seed = seed

    def fit(self, content, vectors):
        if not 0 <= self.dropout <= 1:
            raise RecsysError(f"dropout must lie in [0, 1], not {self.dropout}.")
        rng = generator(self.seed, "dropoutnet")
        n, dim = vectors.shape
        users = np.eye(dim) if self.user_vectors is None else self.user_vectors
        metric = users.T.astype(np.float64) @ users
        metric *= dim / np.trace(metric)
        self.mean_, self.scale_ = vectors.mean(axis=0), max(float(vectors.std()), 1e-12)
        target = (vectors - self.mean_) / self.scale_
        n_inputs = dim + content.shape[1]
        weights = {
            "hidden": rng.normal(0, 1 / np.sqrt(dim), (n_inputs, self.hidden)),
            "hidden_bias": np.zeros(self.hidden),
            "out": rng.normal(0, 1 / np.sqrt(self.hidden), (self.hidden, dim)),
            "out_bias": np.zeros(dim),
        }
        adam = _Adam(weights, self.learning_rate)
        for _ in range(self.epochs):
            order = rng.permutation(n)
            kept = rng.random(n) >= self.dropout
            for start in range(0, n, 100):
                some = order[start : start + 100]
                x = np.hstack([target[some] * kept[some, None], content[some]])
                adam.step(_gradients(weights, x, target[some], metric, self.weight_decay))
        self.weights_ = weights
        return self

    def predict(self, content, vectors: np.ndarray | None = None):
        """Return a vector for each row of content.

        Parameters
        ----------
        content : float array, shape (m, n_values)
        vectors : float array, shape (m, dim), optional
            What a few ratings have taught, where there are some.
        """
        first = np.zeros((len(content), len(self.mean_)))
        if vectors is not None:
            first = (vectors - self.mean_) / self.scale_
        x = np.hstack([first, content])
        return self.mean_ + self.scale_ * _forward(self.weights_, x)[1]


def _forward(weights: dict[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the hidden layer, (m, hidden), and the output, (m, dim)."""
    hidden = np.tanh(x @ weights["hidden"] + weights["hidden_bias"])
    return hidden, hidden @ weights["out"] + weights["out_bias"]


def _gradients(weights, x, target, metric, weight_decay) -> dict[str, np.ndarray]:
    """Return the gradients of the mean of ``(t - o)^T metric (t - o)`` plus weight decay."""
    hidden, out = _forward(weights, x)
    by_out = 2 * (out - target) @ metric / len(x)
    by_hidden = by_out @ weights["out"].T * (1 - hidden**2)
    return {
        "hidden": x.T @ by_hidden + weight_decay * weights["hidden"],
        "hidden_bias": by_hidden.sum(axis=0),
        "out": hidden.T @ by_out + weight_decay * weights["out"],
        "out_bias": by_out.sum(axis=0),
    }


class _Adam:
    """Adam (Kingma and Ba, 2015) over a dictionary of arrays, which it changes in place."""

    def __init__(self, weights: dict[str, np.ndarray], learning_rate: float):
        self.weights, self.learning_rate, self.steps = weights, learning_rate, 0
        self.moments: dict[str, Any] = {
            name: [np.zeros_like(w), np.zeros_like(w)] for name, w in weights.items()
        }

    def step(self, gradients: dict[str, np.ndarray]) -> None:
        self.steps += 1
        for name, gradient in gradients.items():
            first, second = self.moments[name]
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            mean = first / (1 - 0.9**self.steps)
            spread = np.sqrt(second / (1 - 0.999**self.steps))
            self.weights[name] -= self.learning_rate * mean / (spread + 1e-8)


def updated_vectors(
    guesses: np.ndarray, likes: sparse.csr_matrix, factors: ImplicitALS, weight: float = 1.0
) -> np.ndarray:
    """Return what the first likes make of guessed vectors: float64, (n_items, dim).

    The guess from the content plus ``weight`` times what the factor model learns from the likes
    alone, with the users held fixed. Alone, a few likes make a vector that is short, because all
    who have not met the film yet count as no; the guess stands in for them.

    Parameters
    ----------
    guesses : float array, shape (n_items, dim)
    likes : scipy CSR matrix, shape (n_items, n_users)
        Ones; the columns are the users of ``factors``.
    factors : ImplicitALS
        Fitted.
    weight : float
        0 keeps the guess.
    """
    return guesses + weight * factors.solve(likes, factors.users_.astype(np.float64))
