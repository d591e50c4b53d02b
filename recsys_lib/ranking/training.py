"""One training loop for all ranking models: a compiled pass over tensors, early stopping.

A pass draws its batches inside one compiled function, so that no Python runs between steps.
Samples that do not fit in memory come as several chunks, one after the other (see
:mod:`recsys_lib.ranking.out_of_core`).

On several machines the same program runs on each, with TensorFlow's ``TF_CONFIG`` in its
environment (see :func:`recsys_lib.keras_backend.load_keras`). All workers draw the same batches,
each computes the gradients of its share of the rows, and the sums over all workers are applied.
Batch size and result are those of one machine, except for rounding and for what dropout draws.
"""

import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

import numpy as np

from recsys_lib.adam import Adam
from recsys_lib.evaluation import auc, log_loss
from recsys_lib.keras_backend import load_keras, load_tensorflow
from recsys_lib.ranking.checkpoint import Checkpoint
from recsys_lib.ranking.config import TrainingConfig
from recsys_lib.ranking.inputs import Encoded
from recsys_lib.seeding import DEFAULT_SEED, generator

PREDICT_BATCH = 8_192
Chunk = tuple[Encoded, np.ndarray]  # samples and their labels, float32 (n,), 0 or 1


@dataclass
class TrainingLog:
    """How a training went. Each list has one value for each epoch.

    Attributes
    ----------
    n_samples : int
        Number of training samples.
    train_loss : list of float
        Mean loss during the epoch: binary cross-entropy in nats and what layers add to it.
    validation_auc, validation_log_loss : lists of float
        Empty without validation samples.
    seconds : list of float
        Duration of the pass over the training samples, without validation.
    seconds_before : float
        Duration of the training of the model that this one starts from; 0 where there is none.
    best_epoch : int
        The epoch whose weights were kept, counted from 1.
    resumed_after : int
        Number of epochs that had been trained before, and came from a checkpoint.
    """

    n_samples: int
    train_loss: list[float] = field(default_factory=list)
    validation_auc: list[float] = field(default_factory=list)
    validation_log_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0
    resumed_after: int = 0
    seconds_before: float = 0.0

    @property
    def total_seconds(self) -> float:
        """Duration of the whole training, without validation."""
        return self.seconds_before + sum(self.seconds)

    @property
    def samples_per_second(self) -> float:
        """Training speed. The first epoch, which compiles the step, counts only if it is alone."""
        seconds = self.seconds[1:] or self.seconds
        return self.n_samples * len(seconds) / sum(seconds)


def train(
    network,
    chunks: Sequence[Chunk],
    config: TrainingConfig,
    validation: Chunk | None = None,
    seed: int = DEFAULT_SEED,
    on_epoch: Callable[[TrainingLog], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> TrainingLog:
    """Fit a Keras network that takes ``[categories, numbers]`` and gives a probability.

    Parameters
    ----------
    network : keras.Model
        Changed in place.
    chunks : sequence of (Encoded, labels)
        A single one when everything fits in memory. Each pass takes the chunks, and the samples
        within each, in an order that follows from the seed and the number of the epoch.
    config : TrainingConfig
    validation : (Encoded, labels), optional
    seed : int
    on_epoch : function of the log so far, optional
        Called after each epoch.
    checkpoint : Checkpoint, optional
        Written after each epoch. If there is one already, training continues from it, with the
        same result as without the interruption.
    """
    log, best_weights = TrainingLog(n_samples=0), None
    passes = CompiledPass(network, config)
    if checkpoint is not None and (stored := checkpoint.load(passes.variables)):
        log = TrainingLog(**stored.log)
        log.resumed_after, best_weights = len(log.seconds), stored.best_weights
    patience = config.patience if validation is not None else 0
    while len(log.seconds) < config.epochs:
        epoch = len(log.seconds) + 1
        if patience and epoch > 1 and epoch - 1 - log.best_epoch >= patience:
            break
        started = time.perf_counter()
        loss, log.n_samples = passes.epoch(chunks, generator(seed, "training", epoch))
        log.seconds.append(time.perf_counter() - started)
        log.train_loss.append(loss)
        if validation is not None:
            samples, labels = validation
            probability = predict(network, samples)
            log.validation_auc.append(auc(labels, probability))
            log.validation_log_loss.append(log_loss(labels, probability))
        if not patience:
            log.best_epoch = epoch
        elif not log.best_epoch or log.validation_auc[-1] > log.validation_auc[log.best_epoch - 1]:
            log.best_epoch, best_weights = epoch, network.get_weights()
        if checkpoint is not None:
            checkpoint.save(passes.variables, asdict(log), best_weights)
        if on_epoch is not None:
            on_epoch(log)
    if best_weights is not None:
        network.set_weights(best_weights)
    return log


class CompiledPass:
    """A compiled pass of gradient steps over one chunk, and the state of the optimiser."""

    def __init__(self, network, config: TrainingConfig):
        keras, tf = load_keras(), load_tensorflow()
        adam = Adam(network.trainable_variables, config.learning_rate)
        cross_entropy = keras.losses.BinaryCrossentropy(reduction="sum")
        strategy = tf.distribute.get_strategy()
        workers = strategy.num_replicas_in_sync

        def spec(dtype, *shape):
            return tf.TensorSpec((None, *shape), dtype)

        def step(codes, numbers, labels, rows):
            n = tf.cast(tf.size(rows), tf.float32)
            rows = rows[tf.distribute.get_replica_context().replica_id_in_sync_group :: workers]
            share = tf.cast(tf.size(rows), tf.float32) / n
            with tf.GradientTape() as tape:
                batch = [tf.gather(codes, rows), tf.gather(numbers, rows)]
                like = network(batch, training=True)
                loss = cross_entropy(tf.gather(labels, rows)[:, None], like) / n
                # Layers add means over this worker's rows, of which it may have none.
                for added in network.losses:
                    loss += tf.math.multiply_no_nan(added, share)
            return loss, adam.flat(tape.gradient(loss, network.trainable_variables))

        # A loop in TensorFlow's own words: a Python loop would have to be translated, source and
        # all, which takes as long as the training of a small model.
        @tf.function(
            autograph=False,
            input_signature=[
                spec(tf.int32, network.inputs[0].shape[1]),
                spec(tf.float32, network.inputs[1].shape[1]),
                spec(tf.float32),
                spec(tf.int32),
            ],
        )
        def one_pass(codes, numbers, labels, order):
            def of_batch(start, total):
                rows = order[start : start + config.batch_size]
                of_workers = strategy.run(step, (codes, numbers, labels, rows))
                loss, gradient = (
                    strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None)
                    for each in of_workers
                )
                adam.step(gradient)
                total += loss * tf.cast(tf.size(rows), tf.float32)
                return start + config.batch_size, total

            def is_left(start, _):
                return start < tf.size(order)

            return tf.while_loop(is_left, of_batch, (0, 0.0))[1]

        self.one_pass = one_pass
        # Weights, the states of seed generators and the optimiser's moments.
        self.variables = [*network.variables, *adam.variables]

    def epoch(self, chunks: Sequence[Chunk], rng: np.random.Generator) -> tuple[float, int]:
        """Pass over all chunks; return the mean loss and the number of samples."""
        total, n_samples = 0.0, 0
        for samples, labels in _read_ahead(chunks, rng.permutation(len(chunks))):
            order = rng.permutation(len(labels)).astype(np.int32)
            total += float(self.one_pass(samples.categories, samples.numbers, labels, order))
            n_samples += len(labels)
        return total / n_samples, n_samples


def _read_ahead(chunks: Sequence[Chunk], order: np.ndarray) -> Iterator[Chunk]:
    """Yield the chunks in this order. While one is in use, the next one is read."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(chunks.__getitem__, order[0])
        for place in order[1:]:
            chunk, following = following.result(), reader.submit(chunks.__getitem__, place)
            yield chunk
            del chunk  # or three would be in memory
        yield following.result()


def predict(network, samples: Encoded) -> np.ndarray:
    """Return the probability of a like for each sample: float32, (n,)."""
    if not len(samples.categories):
        return np.empty(0, np.float32)
    starts = range(0, len(samples.categories), PREDICT_BATCH)
    batches = [[array[i : i + PREDICT_BATCH] for array in samples] for i in starts]
    like = _as_graph(network)
    return np.concatenate([like(*batch) for batch in batches])[:, 0]


_GRAPHS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _as_graph(network):
    """Return a network's call as one graph, made once: layer by layer it takes twice as long."""
    if network not in _GRAPHS:
        # A graph that held the network would keep it and itself alive in the dictionary.
        tf, alive = load_tensorflow(), weakref.ref(network)
        codes, numbers = (tf.TensorSpec(each.shape, each.dtype) for each in network.inputs)

        @tf.function(autograph=False, input_signature=[codes, numbers])
        def like(codes, numbers):
            return alive()([codes, numbers], training=False)

        _GRAPHS[network] = like
    return _GRAPHS[network]
