"""The ranking function: recall's score, a linear part and a small network, trained in numpy."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Self

import numpy as np

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.rankers.listwise.lists import RankingLists
from recsys_lib.rankers.listwise.losses import LOSSES
from recsys_lib.seeding import DEFAULT_SEED, generator

CLIPPED_AT = 4.0  # standard deviations, beyond which a feature says no more
FIRST_SCALES = (0.5, 1.0, 1.5, 2.0, 3.0)  # of recall's score, that are tried at the start


@dataclass(frozen=True)
class ListwiseConfig:
    """How a ranking function is trained.

    Attributes
    ----------
    hidden : int
        Units of the hidden layer; 0 leaves the linear model.
    loss : {"listwise", "pairwise", "pointwise"}
    epochs : int
        Passes over the lists.
    batch_size : int
        Lists a step.
    learning_rate : float
        Of Adam at the start; it falls to 0 along a cosine.
    l2 : float
        Penalty of the squared weights, on the scale of a list's loss.
    dropout : float
        In [0, 1): share of hidden units left out in a step.
    """

    hidden: int = 0
    loss: str = "listwise"
    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 0.01
    l2: float = 1e-3
    dropout: float = 0.0

    def __post_init__(self):
        if self.loss not in LOSSES:
            raise RecsysError(
                f"There is no loss {self.loss!r}.{nearest(self.loss, LOSSES)} "
                f"Known: {', '.join(LOSSES)}."
            )
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise RecsysError(f"{name} must be positive, not {getattr(self, name)}.")
        if self.hidden < 0 or self.l2 < 0 or not 0 <= self.dropout < 1:
            raise RecsysError(
                "hidden and l2 must not be negative and dropout lie in [0, 1), not "
                f"{self.hidden}, {self.l2} and {self.dropout}."
            )


LINEAR = ListwiseConfig()
NETWORK = ListwiseConfig(hidden=32, epochs=16, learning_rate=0.003, dropout=0.3)


@dataclass
class ListwiseModel:
    """``f = a r + b + w.x + v.relu(W x + c)``: r is recall's score, x the features.

    Both r and x are standardised; x is clipped at four standard deviations. At the start w and v
    are 0, so that the model begins with recall's own order and departs from it as far as the lists
    teach it to. Scoring takes a few products of matrices.

    Attributes
    ----------
    names : tuple of str
        Of the features, in order.
    config : ListwiseConfig
    weights : dict of arrays
        ``a`` and ``b`` (), ``w`` (m,), and of a network ``W`` (m, hidden), ``c`` and ``v``
        (hidden,).
    mean, stddev : float64 arrays, shape (m,)
    losses : list of float
        Mean loss of a list in each epoch.
    """

    names: tuple[str, ...]
    config: ListwiseConfig
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    stddev: np.ndarray = field(default_factory=lambda: np.zeros(0))
    losses: list[float] = field(default_factory=list)

    @classmethod
    def train(
        cls, lists: RankingLists, config: ListwiseConfig = LINEAR, seed: int = DEFAULT_SEED
    ) -> Self:
        """Learn from lists, those without a hit left out.

        Raises
        ------
        RecsysError
            No list has a hit, so there is no order to learn.
        """
        lists = lists.with_hits()
        if not len(lists):
            raise RecsysError("No recalled candidate was liked: there is no order to learn from.")
        model = cls(lists.names, config)
        listed, table = lists.listed, lists.features
        known = table[listed]
        model.mean = known.mean(axis=0, dtype=np.float64)
        centred = known - model.mean.astype(np.float32)  # std would copy all of it as float64
        spread = np.sqrt(np.square(centred, out=centred).mean(axis=0, dtype=np.float64))
        model.stddev = np.where(spread > 1e-9, spread, np.inf)  # a constant says nothing
        x = model.scaled(table) * listed[:, :, None].astype(np.float32)
        model._start(lists, seed)
        model._fit(x, lists, seed)
        return model

    def score(self, recalled: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Return the score of candidates: float32, shape (..., k).

        Parameters
        ----------
        recalled : float array, shape (..., k)
            Recall's scores in standard deviations from the list's mean.
        features : float array, shape (..., k, m)
        """
        return self._forward(recalled, self.scaled(features))[0]

    def contributions(
        self, recalled: np.ndarray, features: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what a score is the sum of.

        Around each candidate the network is linear: a hidden unit is on or off. So each feature has
        a slope there, and slope times value, with what the units that are on add by themselves,
        is the score (gradient x input; Shrikumar et al.: Not just a black box, 2016).

        Parameters
        ----------
        recalled, features
            As for :meth:`score`.

        Returns
        -------
        recall : float array, shape (..., k)
        of_features : float array, shape (..., k, m)
        constant : float array, shape (..., k)
        """
        x, w = self.scaled(features), self.weights
        slopes, constant = w["w"], np.full(x.shape[:-1], w["b"])
        if self.config.hidden:
            on = (x @ w["W"] + w["c"] > 0) * w["v"]  # (..., k, hidden)
            slopes, constant = slopes + on @ w["W"].T, constant + on @ w["c"]
        return w["a"] * recalled, x * slopes, constant

    def order(self, lists: RankingLists) -> np.ndarray:
        """Return the scores of the candidates of lists that may have more features: (n, k)."""
        return self.score(lists.recalled, lists.columns(self.names).features)

    def scaled(self, features: np.ndarray) -> np.ndarray:
        """Return features in standard deviations, clipped: float32."""
        x = (features - self.mean.astype(np.float32)) / self.stddev.astype(np.float32)
        return np.clip(x, -CLIPPED_AT, CLIPPED_AT, out=x)

    def _start(self, lists: RankingLists, seed: int) -> None:
        """Begin with recall's order, on the scale that fits the lists best."""
        m, hidden = len(self.names), self.config.hidden
        loss, liked, listed = LOSSES[self.config.loss], lists.liked, lists.listed
        share = lists.liked.sum() / listed.sum()
        base = np.log(share / (1 - share)) if self.config.loss == "pointwise" else 0.0
        costs = [loss(a * lists.recalled + base, liked, listed)[0] for a in FIRST_SCALES]
        self.weights = {
            "a": np.float32(FIRST_SCALES[int(np.argmin(costs))]),
            "b": np.float32(base),
            "w": np.zeros(m, np.float32),
        }
        if hidden:
            draw = generator(seed, "listwise start")
            start = draw.normal(0, np.sqrt(2 / m), (m, hidden)).astype(np.float32)
            layer = {"W": start, "c": np.zeros(hidden, np.float32)}
            self.weights |= layer | {"v": np.zeros(hidden, np.float32)}

    def _forward(self, recalled, x, kept=None) -> tuple[np.ndarray, np.ndarray | None]:
        """Return scores (..., k) and the hidden layer (..., k, hidden), dropout applied."""
        w = self.weights
        score = w["a"] * recalled + x @ w["w"] + w["b"]
        if not self.config.hidden:
            return score, None
        layer = np.maximum(x @ w["W"] + w["c"], 0)
        layer = layer if kept is None else layer * kept
        return score + layer @ w["v"], layer

    def _fit(self, x: np.ndarray, lists: RankingLists, seed: int) -> None:
        config, draw = self.config, generator(seed, "listwise batches")
        loss = LOSSES[config.loss]
        adam = _Adam(self.weights, config.learning_rate)
        n_steps = config.epochs * -(-len(x) // config.batch_size)
        self.losses = []
        for _ in range(config.epochs):
            costs = []
            for some in _batches(len(x), config.batch_size, draw):
                recalled, part = lists.recalled[some], x[some]
                kept = self._kept(draw)
                score, layer = self._forward(recalled, part, kept)
                cost, slope = loss(score, lists.liked[some], lists.listed[some])
                slope = slope.astype(np.float32)
                adam.step(self._gradient(recalled, part, layer, kept, slope), n_steps)
                costs.append(cost * len(some))
            self.losses.append(float(np.sum(costs) / len(x)))

    def _kept(self, draw: np.random.Generator) -> np.ndarray | None:
        """Return which hidden units take part, scaled so that their sum keeps its mean."""
        if not self.config.hidden or not self.config.dropout:
            return None
        kept = draw.random(self.config.hidden) >= self.config.dropout
        return (kept / (1 - self.config.dropout)).astype(np.float32)

    def _gradient(self, recalled, x, layer, kept, slope) -> dict[str, np.ndarray]:
        """Return the gradient of the loss in each weight, from ``slope``, that in the scores."""
        w, l2 = self.weights, 2 * self.config.l2
        flat, rows = slope.reshape(-1), x.reshape(-1, x.shape[-1])
        found = {
            "a": np.sum(recalled * slope),
            "b": slope.sum() if self.config.loss == "pointwise" else np.float32(0),
            "w": rows.T @ flat + l2 * w["w"],
        }
        if layer is not None:
            layer = layer.reshape(-1, layer.shape[-1])
            back = flat[:, None] * w["v"] * (layer > 0)
            back = back if kept is None else back * kept
            found |= {
                "W": rows.T @ back + l2 * w["W"],
                "c": back.sum(axis=0),
                "v": layer.T @ flat + l2 * w["v"],
            }
        return found

    def parts(self) -> tuple[dict, dict[str, np.ndarray]]:
        """Return the model as JSON and arrays; :meth:`from_parts` makes it again."""
        described = {"names": list(self.names), "config": asdict(self.config)}
        arrays = {"mean": self.mean, "stddev": self.stddev}
        return described, arrays | {f"weight_{name}": each for name, each in self.weights.items()}

    @classmethod
    def from_parts(cls, described: dict, arrays: dict[str, np.ndarray]) -> Self:
        """Return the model that :meth:`parts` described."""
        weights = {n.removeprefix("weight_"): v for n, v in arrays.items() if "weight_" in n}
        config = ListwiseConfig(**described["config"])
        return cls(tuple(described["names"]), config, weights, arrays["mean"], arrays["stddev"])


def _batches(n: int, size: int, draw: np.random.Generator) -> Iterator[np.ndarray]:
    order = draw.permutation(n)
    for start in range(0, n, size):
        yield order[start : start + size]


class _Adam:
    """Adam (Kingma and Ba, 2015) with a step that falls to 0 along a cosine."""

    def __init__(self, weights: dict[str, np.ndarray], learning_rate: float):
        self.weights = weights
        self.learning_rate = learning_rate
        self.first = {name: np.zeros_like(value) for name, value in weights.items()}
        self.second = {name: np.zeros_like(value) for name, value in weights.items()}
        self.steps = 0

    def step(self, gradient: dict[str, np.ndarray], n_steps: int) -> None:
        rate = self.learning_rate * (1 + np.cos(np.pi * self.steps / n_steps)) / 2
        self.steps += 1
        for name, slope in gradient.items():
            self.first[name] = 0.9 * self.first[name] + 0.1 * slope
            self.second[name] = 0.999 * self.second[name] + 0.001 * slope**2
            mean = self.first[name] / (1 - 0.9**self.steps)
            size = np.sqrt(self.second[name] / (1 - 0.999**self.steps))
            self.weights[name] = (self.weights[name] - rate * mean / (size + 1e-8)).astype("f4")
