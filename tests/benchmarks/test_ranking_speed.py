"""Training the notes' network beside bare TensorFlow and Keras' own loop.

All take the same samples of MovieLens 100K (time split) in one run: one pass over the training
samples after a warm-up, at batches of 1,024.
"""

import numpy as np
import pytest

from recsys_lib.ranking import RankingConfig, labels_of
from recsys_lib.ranking.backend import load_keras, seed_everything
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.models import embedding_mlp
from recsys_lib.ranking.training import _Steps
from recsys_lib.seeding import generator

BATCH = 1_024
# Nothing that the bare loop does not do.
CONFIG = RankingConfig(id_dropout=0.0, embedding_l2=0.0, dropout=0.0)


@pytest.fixture(scope="module")
def parts(ml_100k):
    """Training and validation samples of the time split."""
    from recsys_lib.data.splits import both
    from recsys_lib.features import build_training_samples

    frame = build_training_samples(ml_100k, both(ml_100k.interactions))["by_time"]
    return frame[frame["part"] == "train"], frame[frame["part"] == "validation"]


@pytest.fixture(scope="module")
def encoded(parts):
    inputs = inputs_for(CONFIG, parts[0])
    return inputs, inputs.encode(parts[0]), labels_of(parts[0])


def ours(encoded):
    inputs, samples, labels = encoded
    steps = _Steps(embedding_mlp.network(CONFIG, inputs), CONFIG.training)
    rng = generator(1, "order")
    return lambda: steps.epoch([(samples, labels)], rng)


def keras_fit(encoded):
    inputs, samples, labels = encoded
    network = embedding_mlp.network(CONFIG, inputs)
    network.compile(load_keras().optimizers.Adam(1e-3), "binary_crossentropy")
    return lambda: network.fit(list(samples), labels, BATCH, epochs=1, verbose=0)


def bare(encoded):
    """The same network and Adam out of variables and operations."""
    load_keras()
    import tensorflow as tf

    inputs, samples, labels = encoded
    width = len(inputs.offsets) * 10
    shapes = [(sum(inputs.sizes), 10), (width + len(inputs.numbers), 128), (128,), (128, 128),
              (128,), (128, 1), (1,)]  # fmt: skip
    weights = [tf.Variable(tf.random.truncated_normal(s, stddev=0.1)) for s in shapes]
    means, squares = ([tf.Variable(tf.zeros(s)) for s in shapes] for _ in range(2))
    step, offsets = tf.Variable(0.0), tf.constant(inputs.offsets)

    @tf.function
    def one_pass(codes, numbers, labels, order):
        for start in tf.range(0, tf.size(order), BATCH):
            rows = order[start : start + BATCH]
            code = tf.gather(codes, rows)
            with tf.GradientTape() as tape:
                known = tf.cast(code > 0, tf.float32)[:, :, None]
                vectors = tf.gather(weights[0], code + offsets) * known
                x = tf.concat([tf.reshape(vectors, (-1, width)), tf.gather(numbers, rows)], 1)
                x = tf.nn.relu(x @ weights[1] + weights[2])
                x = tf.nn.relu(x @ weights[3] + weights[4])
                loss = tf.reduce_mean(
                    tf.nn.sigmoid_cross_entropy_with_logits(
                        tf.gather(labels, rows)[:, None], x @ weights[5] + weights[6]
                    )
                )
            gradients = tape.gradient(loss, weights)
            step.assign_add(1.0)
            rate = 1e-3 * tf.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            for w, m, s, g in zip(weights, means, squares, gradients, strict=True):
                g = tf.convert_to_tensor(g)
                m.assign_add(0.1 * (g - m))
                s.assign_add(0.001 * (g * g - s))
                w.assign_sub(rate * m / (tf.sqrt(s) + 1e-7))

    tensors = [tf.constant(each) for each in (*samples, labels)]
    rng = generator(1, "order")
    return lambda: one_pass(*tensors, rng.permutation(len(labels)).astype(np.int32))


@pytest.mark.spark
@pytest.mark.benchmark(group="one pass of the notes' network (at most 1.25 of bare TensorFlow)")
@pytest.mark.parametrize("loop", [ours, bare, keras_fit])
def test_one_pass(benchmark, encoded, loop):
    seed_everything(1)
    one_pass = loop(encoded)
    benchmark.pedantic(one_pass, rounds=7, warmup_rounds=2)
    seconds = benchmark.stats.stats.min
    benchmark.extra_info["samples_per_second"] = round(len(encoded[2]) / seconds)
