"""Learning from a stream: each event is predicted first and learned afterwards (S24).

*Progressive validation* (Blum, Kalai and Langford, 1999) needs no held-out part: at the moment of
its prediction no event has been learned from.
"""

from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.rankers.online_models import OnlineModel

NEVER, ONLINE = float("inf"), 0.0  # intervals between updates, in s
CLIP = 1e-6  # of probabilities, so that a loss is finite


def log_losses(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return the logistic loss of each event: float64, (n,), in nats."""
    p = np.clip(predictions, CLIP, 1 - CLIP)
    return -np.where(np.asarray(labels) > 0, np.log(p), np.log1p(-p))


def progressive(
    model: OnlineModel, x: np.ndarray, y: np.ndarray, times: np.ndarray, interval_s: float
) -> np.ndarray:
    """Return predictions of a stream by a model that is brought up to date in intervals.

    An event is predicted by the model of the last update before it. The model learns in the end
    from the same events in the same order, whatever the interval, but for :data:`NEVER`.

    Parameters
    ----------
    model : OnlineModel
        Is changed.
    x : float array, shape (n, n_features)
    y : array, shape (n,)
        1 for a like, else 0.
    times : array, shape (n,)
        In s, not falling.
    interval_s : float
        Time between two updates, which happen at its multiples: 86,400 is midnight.
        :data:`ONLINE` learns after each event, :data:`NEVER` does not learn.

    Returns
    -------
    float64 array, shape (n,)
    """
    times = np.asarray(times, np.float64)
    if (np.diff(times) < 0).any():
        raise RecsysError("The events of a stream come in order of time: sort them by `times`.")
    if interval_s == NEVER:
        return model.predict(x)
    at = np.arange(len(x)) if interval_s == ONLINE else np.floor(times / interval_s)
    starts = np.flatnonzero(np.diff(at, prepend=-np.inf))
    predictions = np.empty(len(x))
    for start, end in zip(starts, [*starts[1:], len(x)], strict=True):
        predictions[start:end] = model.predict(x[start:end])
        model.partial_fit(x[start:end], y[start:end])
    return predictions


@dataclass
class GuardedLearner:
    """Learns from batches, and takes a batch back when it makes the model worse.

    After a batch, the model and a copy from before it predict the same trusted events: the newest
    of the batches that were kept. When the loss has grown by more than ``tolerance`` and by more
    than ``errors`` standard errors of the paired difference, the copy goes on in its place. No
    request is answered by the model that was taken back.

    Attributes
    ----------
    model : OnlineModel
        The one that serves.
    window : int
        Trusted events that are remembered.
    tolerance : float
        In nats an event. A model that learns forgets a little with every batch.
    errors : float
    history : list of dict
        Of each batch: ``rise`` of the loss on trusted events, its standard ``error``, and whether
        it was ``kept``.
    """

    model: OnlineModel
    window: int = 2_000
    tolerance: float = 0.01
    errors: float = 3.0
    history: list[dict] = field(default_factory=list)
    _x: np.ndarray | None = None
    _y: np.ndarray | None = None

    def trust(self, x: np.ndarray, y: np.ndarray) -> None:
        """Remember events that are known to be sound, such as the last of the training."""
        self._x = x if self._x is None else np.concatenate([self._x, x])
        self._y = y if self._y is None else np.concatenate([self._y, y])
        self._x, self._y = self._x[-self.window :], self._y[-self.window :]

    def learn(self, x: np.ndarray, y: np.ndarray) -> bool:
        """Learn from a batch of events in their order; return whether that was kept.

        Raises
        ------
        RecsysError
            No event is trusted yet.
        """
        if self._x is None or len(self._x) < 2:
            raise RecsysError("A guard compares losses on trusted events: call trust() first.")
        candidate = deepcopy(self.model).partial_fit(x, y)
        rises = log_losses(self._y, candidate.predict(self._x))
        rises -= log_losses(self._y, self.model.predict(self._x))
        rise, error = rises.mean(), rises.std(ddof=1) / np.sqrt(len(rises))
        kept = bool(rise <= max(self.tolerance, self.errors * error))
        self.history.append({"rise": float(rise), "error": float(error), "kept": kept})
        if kept:
            self.model = candidate
            self.trust(x, y)
        return kept
