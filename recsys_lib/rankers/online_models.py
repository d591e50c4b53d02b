"""Light models that learn from one event at a time, in numpy (S18)."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.rankers.forward import sigmoid
from recsys_lib.seeding import DEFAULT_SEED, generator


class OnlineModel(ABC):
    """What predicts a like from a row of numbers, and learns from rows with labels.

    Attributes
    ----------
    classes : dict of str to class
        By name, for reading a saved one.
    """

    classes: ClassVar[dict[str, type["OnlineModel"]]] = {}

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        OnlineModel.classes[cls.__name__] = cls

    @abstractmethod
    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of a like for each row: float64, (n,)."""

    @abstractmethod
    def partial_fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        """Learn from rows in their order, one at a time.

        Parameters
        ----------
        x : float array, shape (n, n_features)
        y : array, shape (n,)
            1 for a like, else 0.
        """

    @abstractmethod
    def settings(self) -> dict:
        """Return the constructor's arguments."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what is learned, by attribute."""
        return {n: v for n, v in vars(self).items() if n.endswith("_") and v is not None}


class FtrlLogisticRegression(OnlineModel):
    """Logistic regression by follow the regularised leader (FTRL-proximal).

    Each weight has its own falling step; with ``l1`` most stay exactly 0. (McMahan et al.: Ad Click
    Prediction, a View from the Trenches, 2013, algorithm 1.)

    Parameters
    ----------
    alpha : float
        Step: near the square root of a feature's number of events it has fallen to half.
    beta : float
        Keeps the first steps small.
    l1, l2 : float
        Penalties.

    Attributes
    ----------
    z_, n_ : float64 arrays, shape (n_features,)
        Sums of adjusted gradients, and of squared gradients. No weights are kept: they follow.
    """

    def __init__(self, *, alpha: float = 0.1, beta: float = 1.0, l1: float = 0.0, l2: float = 0.0):
        if alpha <= 0 or min(beta, l1, l2) < 0:
            raise RecsysError(
                f"alpha must be positive and beta, l1 and l2 not negative, not {alpha}, {beta}, "
                f"{l1} and {l2}."
            )
        self.alpha, self.beta, self.l1, self.l2 = alpha, beta, l1, l2
        self.z_: np.ndarray | None = None
        self.n_: np.ndarray | None = None

    @property
    def weights(self) -> np.ndarray:
        """The weights now: float64, (n_features,)."""
        shrunk = np.sign(self.z_) * np.maximum(np.abs(self.z_) - self.l1, 0)
        return -shrunk / ((self.beta + np.sqrt(self.n_)) / self.alpha + self.l2)

    def predict(self, x: np.ndarray) -> np.ndarray:
        if self.z_ is None:
            return np.full(len(x), 0.5)
        return sigmoid(np.asarray(x, np.float64) @ self.weights)

    def partial_fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        x = np.asarray(x, np.float64)
        if self.z_ is None:
            self.z_, self.n_ = np.zeros((2, x.shape[1]))
        for row, label in zip(x, y, strict=True):
            weights = self.weights
            gradient = (sigmoid(row @ weights) - label) * row
            squared = self.n_ + np.square(gradient)
            step = (np.sqrt(squared) - np.sqrt(self.n_)) / self.alpha
            self.z_, self.n_ = self.z_ + gradient - step * weights, squared
        return self

    def settings(self) -> dict:
        return {"alpha": self.alpha, "beta": self.beta, "l1": self.l1, "l2": self.l2}


class ShallowNetwork(OnlineModel):
    """One hidden relu layer, learned by AdaGrad (Duchi, Hazan and Singer, 2011).

    Parameters
    ----------
    hidden : int
        Units of the layer.
    learning_rate : float
    l2 : float
        Weight of half the squared weights in the loss of a row.
    seed : int
        Of the weights at the start.

    Attributes
    ----------
    kernel_, bias_, out_, offset_ : float64 arrays
        (n_features, hidden), (hidden,), (hidden,), (1,).
    squares_ : float64 array, shape (number of weights,)
        Sums of squared gradients.
    """

    def __init__(
        self,
        *,
        hidden: int = 16,
        learning_rate: float = 0.05,
        l2: float = 0.0,
        seed: int = DEFAULT_SEED,
    ):
        if hidden < 1 or learning_rate <= 0 or l2 < 0:
            raise RecsysError(
                "hidden and learning_rate must be positive and l2 not negative, not "
                f"{hidden}, {learning_rate} and {l2}."
            )
        self.hidden, self.learning_rate, self.l2, self.seed = hidden, learning_rate, l2, seed
        self.kernel_: np.ndarray | None = None

    def _start(self, n_features: int) -> None:
        rng = generator(self.seed, "shallow network")
        self.kernel_ = rng.normal(0, np.sqrt(2 / n_features), (n_features, self.hidden))
        self.bias_, self.offset_ = np.zeros(self.hidden), np.zeros(1)
        self.out_ = rng.normal(0, np.sqrt(1 / self.hidden), self.hidden)
        self.squares_ = np.zeros(sum(part.size for part in self._parts()))

    def _parts(self) -> tuple[np.ndarray, ...]:
        return self.kernel_, self.bias_, self.out_, self.offset_

    def predict(self, x: np.ndarray) -> np.ndarray:
        if self.kernel_ is None:
            return np.full(len(x), 0.5)
        layer = np.maximum(np.asarray(x, np.float64) @ self.kernel_ + self.bias_, 0)
        return sigmoid(layer @ self.out_ + self.offset_[0])

    def gradient(self, row: np.ndarray, label: float) -> np.ndarray:
        """Return the gradient of a row's loss by all weights, in one array."""
        layer = np.maximum(row @ self.kernel_ + self.bias_, 0)
        error = sigmoid(layer @ self.out_ + self.offset_[0]) - label
        back = error * self.out_ * (layer > 0)
        parts = (np.outer(row, back).ravel(), back, error * layer, np.array([error]))
        return np.concatenate(parts) + self.l2 * np.concatenate([p.ravel() for p in self._parts()])

    def partial_fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        x = np.asarray(x, np.float64)
        if self.kernel_ is None:
            self._start(x.shape[1])
        for row, label in zip(x, y, strict=True):
            gradient = self.gradient(row, label)
            self.squares_ += np.square(gradient)
            step = self.learning_rate * gradient / (np.sqrt(self.squares_) + 1e-8)
            at = 0
            for part in self._parts():
                part -= step[at : at + part.size].reshape(part.shape)
                at += part.size
        return self

    def settings(self) -> dict:
        return {
            "hidden": self.hidden,
            "learning_rate": self.learning_rate,
            "l2": self.l2,
            "seed": self.seed,
        }
