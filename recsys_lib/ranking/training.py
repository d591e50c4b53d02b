"""One training loop for all ranking models: a compiled pass over tensors, early stopping.

A pass draws its batches inside one compiled function, so that no Python runs between steps. What
does not fit in memory comes as several chunks, one after the other.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from recsys_lib.evaluation import auc, log_loss
from recsys_lib.ranking.backend import load_keras
from recsys_lib.ranking.config import TrainingConfig
from recsys_lib.ranking.inputs import Encoded
from recsys_lib.seeding import DEFAULT_SEED, generator

PREDICT_BATCH = 8_192
Chunk = tuple[Encoded, np.ndarray]  # samples and their labels, float32 (n,), 0 or 1


@dataclass
class TrainingLog:
    """What happened, one entry an epoch.

    Attributes
    ----------
    n_samples : int
        Training samples.
    train_loss : list of float
        Mean loss while training: binary cross-entropy (nats) and what layers add to it.
    validation_auc, validation_log_loss : lists of float
        Empty without validation samples.
    seconds : list of float
        Time of the passes over the training samples, validation not included.
    best_epoch : int
        From 1; the epoch whose weights were kept.
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
    chunks: Sequence[Chunk],
    config: TrainingConfig,
    validation: Chunk | None = None,
    seed: int = DEFAULT_SEED,
    on_epoch: Callable[[TrainingLog], None] | None = None,
) -> TrainingLog:
    """Fit a Keras network that takes ``[categories, numbers]`` and gives a probability.

    Parameters
    ----------
    network : keras.Model
        Changed in place.
    chunks : sequence of (Encoded, labels)
        One when all fits in memory. Each pass takes the chunks, and the samples within each, in
        an order that seed and epoch decide.
    config : TrainingConfig
    validation : (Encoded, labels), optional
    seed : int
    on_epoch : function of the log so far, optional
        Called after each epoch.
    """
    log = TrainingLog(n_samples=0)
    steps = _Steps(network, config)
    best_weights = None
    for epoch in range(1, config.epochs + 1):
        started = time.perf_counter()
        loss, log.n_samples = steps.epoch(chunks, generator(seed, "training", epoch))
        log.seconds.append(time.perf_counter() - started)
        log.train_loss.append(loss)
        if validation is not None:
            samples, labels = validation
            probability = predict(network, samples)
            log.validation_auc.append(auc(labels, probability))
            log.validation_log_loss.append(log_loss(labels, probability))
        if on_epoch is not None:
            on_epoch(log)
        if validation is None or not config.patience:
            log.best_epoch = epoch
        elif not log.best_epoch or log.validation_auc[-1] > log.validation_auc[log.best_epoch - 1]:
            log.best_epoch, best_weights = epoch, network.get_weights()
        elif epoch - log.best_epoch >= config.patience:
            break
    if best_weights is not None:
        network.set_weights(best_weights)
    return log


class _Steps:
    """The compiled pass over one chunk, and the optimiser's state."""

    def __init__(self, network, config: TrainingConfig):
        import tensorflow as tf

        keras = load_keras()
        self.optimizer = keras.optimizers.Adam(config.learning_rate)
        self.optimizer.build(network.trainable_variables)
        cross_entropy = keras.losses.BinaryCrossentropy()

        def spec(dtype, *shape):
            return tf.TensorSpec((None, *shape), dtype)

        codes, numbers = (each.shape[1] for each in network.inputs)

        @tf.function(
            input_signature=[
                spec(tf.int32, codes), spec(tf.float32, numbers), spec(tf.float32), spec(tf.int32)
            ]
        )  # fmt: skip
        def one_pass(codes, numbers, labels, order):
            n = tf.size(order)
            total = tf.constant(0.0)
            for start in tf.range(0, n, config.batch_size):
                rows = order[start : start + config.batch_size]
                with tf.GradientTape() as tape:
                    batch = [tf.gather(codes, rows), tf.gather(numbers, rows)]
                    like = network(batch, training=True)
                    loss = cross_entropy(tf.gather(labels, rows)[:, None], like)
                    loss += sum(network.losses)
                gradients = tape.gradient(loss, network.trainable_variables)
                self.optimizer.apply(gradients)
                total += loss * tf.cast(tf.size(rows), tf.float32)
            return total

        self.one_pass = one_pass

    def epoch(self, chunks: Sequence[Chunk], rng: np.random.Generator) -> tuple[float, int]:
        """Pass over all chunks; return the mean loss and the number of samples."""
        total, n_samples = 0.0, 0
        for place in rng.permutation(len(chunks)):
            samples, labels = chunks[place]
            order = rng.permutation(len(labels)).astype(np.int32)
            total += float(self.one_pass(samples.categories, samples.numbers, labels, order))
            n_samples += len(labels)
        return total / n_samples, n_samples


def predict(network, samples: Encoded) -> np.ndarray:
    """Return the probability of a like for each sample: float32, (n,)."""
    if not len(samples.categories):
        return np.empty(0, np.float32)
    return network.predict(list(samples), batch_size=PREDICT_BATCH, verbose=0)[:, 0]
