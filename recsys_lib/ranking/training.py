"""One training loop for all ranking models: tensors in memory, large batches, early stopping."""

import time
from dataclasses import dataclass, field

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from recsys_lib.ranking.backend import load_keras
from recsys_lib.ranking.inputs import Encoded

PREDICT_BATCH = 8_192


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Attributes
    ----------
    batch_size : int
        Samples a step.
    epochs : int
        Passes over the samples; the most there may be when stopping early.
    patience : int
        With validation samples: epochs without a better validation AUC before training stops.
        The weights of the best epoch are kept. 0 trains all epochs and keeps the last weights.
    learning_rate : float
        Of Adam (Kingma and Ba, 2015).
    """

    batch_size: int = 1_024
    epochs: int = 10
    patience: int = 3
    learning_rate: float = 1e-3


@dataclass
class TrainingLog:
    """What happened, one entry an epoch.

    Attributes
    ----------
    train_loss : list of float
        Mean binary cross-entropy while training (nats).
    validation_auc, validation_log_loss : lists of float
        Empty without validation samples.
    seconds : list of float
        Time of the passes over the training samples, validation not included.
    best_epoch : int
        From 1; the epoch whose weights were kept.
    n_samples : int
        Training samples.
    """

    n_samples: int
    train_loss: list[float] = field(default_factory=list)
    validation_auc: list[float] = field(default_factory=list)
    validation_log_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0

    @property
    def samples_per_second(self) -> float:
        """Training speed; the first epoch, which compiles the step, counts only if alone."""
        seconds = self.seconds[1:] or self.seconds
        return self.n_samples * len(seconds) / sum(seconds)


def train(
    network,
    samples: Encoded,
    labels: np.ndarray,
    config: TrainingConfig,
    validation: tuple[Encoded, np.ndarray] | None = None,
) -> TrainingLog:
    """Fit a Keras network that takes ``[categories, numbers]`` and gives a probability.

    Parameters
    ----------
    network : keras.Model
        Changed in place.
    samples : Encoded
    labels : float32 array, shape (n,), 0 or 1
    config : TrainingConfig
    validation : (Encoded, labels), optional
    """
    keras = load_keras()
    network.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate), loss="binary_crossentropy"
    )
    log = TrainingLog(len(labels))
    watch = _Watch(log, validation, config.patience)
    network.fit(
        list(samples),
        labels,
        batch_size=config.batch_size,
        epochs=config.epochs,
        callbacks=[_as_callback(watch)],
        verbose=0,
    )
    if watch.best_weights is not None:
        network.set_weights(watch.best_weights)
    else:
        log.best_epoch = len(log.train_loss)
    return log


def predict(network, samples: Encoded) -> np.ndarray:
    """Return the probability of a like for each sample: float32, (n,)."""
    if not len(samples.categories):
        return np.empty(0, np.float32)
    return network.predict(list(samples), batch_size=PREDICT_BATCH, verbose=0)[:, 0]


class _Watch:
    """Times each epoch, judges it on validation samples, remembers the best weights."""

    def __init__(self, log: TrainingLog, validation, patience: int):
        self.log, self.validation, self.patience = log, validation, patience
        self.best_weights = None

    def begin(self) -> None:
        self.started = time.perf_counter()

    def end(self, network, loss: float) -> bool:
        """Record an epoch; return whether training should stop."""
        log = self.log
        log.seconds.append(time.perf_counter() - self.started)
        log.train_loss.append(float(loss))
        if self.validation is None:
            return False
        samples, labels = self.validation
        probability = predict(network, samples).astype(np.float64)
        log.validation_auc.append(float(roc_auc_score(labels, probability)))
        log.validation_log_loss.append(float(log_loss(labels, probability)))
        if not self.patience:
            return False
        epoch = len(log.validation_auc)
        if not log.best_epoch or log.validation_auc[-1] > log.validation_auc[log.best_epoch - 1]:
            log.best_epoch = epoch
            self.best_weights = network.get_weights()
        return epoch - log.best_epoch >= self.patience


def _as_callback(watch: _Watch):
    keras = load_keras()

    class Callback(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            watch.begin()

        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = watch.end(self.model, logs["loss"])

    return Callback()
