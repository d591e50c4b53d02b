"""Training the notes' network: beside bare TensorFlow, Keras' own loop, and the notes' own way.

All take the same samples of MovieLens 100K (time split) in one run. First one pass over the
training samples after a warm-up, at batches of 1,024; then all from samples to a validation AUC, as
good as the notes' way gets in its ten passes: batches of 12 out of a CSV file, raw numbers.
"""

import time

import numpy as np
import pytest

from recsys_lib.evaluation import auc
from recsys_lib.features.reference_layout import LAYOUT
from recsys_lib.keras_backend import load_keras, seed_everything
from recsys_lib.ranking import CATEGORIES, NUMBERS, RankingConfig, labels_of, train_model
from recsys_lib.ranking.config import IDS
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.models import embedding_mlp
from recsys_lib.ranking.training import CompiledPass
from recsys_lib.seeding import generator

BATCH = 1_024
NOTES_BATCH, NOTES_EPOCHS = 12, 10
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
    steps = CompiledPass(embedding_mlp.network(CONFIG, inputs), CONFIG.training)
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


def notes_way(train, validation, folder):
    """Yield seconds and validation AUC after each epoch: CSV, a layer a column, batches of 12."""
    keras = load_keras()
    import tensorflow as tf

    columns = {c: LAYOUT[c][0] for c in (*CATEGORIES, *NUMBERS, "label")}
    texts = [name for name in columns.values() if "Genre" in name]
    missing = {name: "" if name in texts else 0 for name in columns.values()}
    for name, frame in (("train", train), ("validation", validation)):
        written = frame[list(columns)].rename(columns=columns).fillna(missing)
        written.to_csv(folder / f"{name}.csv", index=False)
    kinds = dict.fromkeys(columns.values(), tf.float32) | {name: [""] for name in texts}
    kinds |= {columns[c]: tf.int32 for c in (*IDS, "label")}
    started = time.perf_counter()

    def read(name, shuffle):
        rows = tf.data.experimental.make_csv_dataset(
            str(folder / f"{name}.csv"), NOTES_BATCH, label_name="label", num_epochs=1,
            shuffle=shuffle, column_defaults=list(kinds.values()),
        )  # fmt: skip
        return rows.map(lambda fields, label: (dict(fields), label))

    genres = sorted({g for c in CATEGORIES[2:] for g in train[c].dropna().unique()})
    fields, vectors = {}, []
    for column in CATEGORIES:
        name = columns[column]
        if column in IDS:
            size = int(max(train[column].max(), validation[column].max())) + 1
            code = fields[name] = keras.Input((), name=name, dtype="int32")
        else:
            size = len(genres) + 1
            fields[name] = keras.Input((), name=name, dtype="string")
            code = keras.layers.StringLookup(vocabulary=genres)(fields[name])
        vectors.append(keras.layers.Embedding(size, 10)(code))
    for column in NUMBERS:
        fields[columns[column]] = keras.Input((1,), name=columns[column])
        vectors.append(fields[columns[column]])
    x = keras.layers.Concatenate()(vectors)
    for _ in range(2):
        x = keras.layers.Dense(128, activation="relu")(x)
    model = keras.Model(fields, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    judging = 0.0
    for _ in range(NOTES_EPOCHS):
        model.fit(read("train", shuffle=True), verbose=0)
        judged = time.perf_counter()
        scores = model.predict(read("validation", shuffle=False), verbose=0)[:, 0]
        judging += time.perf_counter() - judged
        yield time.perf_counter() - started - judging, auc(validation["label"], scores)


@pytest.mark.spark
@pytest.mark.filterwarnings("ignore")  # Keras' warnings of a data set that ends
@pytest.mark.benchmark(group="to the AUC of the notes' way (at least 40 times sooner)")
def test_time_to_the_notes_auc(benchmark, parts, tmp_path):
    train, validation = parts
    seed_everything(1)
    theirs = list(notes_way(train, validation, tmp_path))
    best_at, goal = max(theirs, key=lambda epoch: epoch[1])

    class Reached(Exception):
        pass

    aucs = []

    def until(log):
        aucs.append(log.validation_auc[-1])
        if aucs[-1] > goal:
            raise Reached

    def run():
        aucs.clear()
        with pytest.raises(Reached):
            train_model("embedding_mlp", train, validation, on_epoch=until)

    benchmark.pedantic(run, rounds=5)
    ours_s = benchmark.stats.stats.median
    benchmark.extra_info.update(
        notes_seconds=round(theirs[-1][0], 1),
        notes_samples_per_second=round(len(train) * NOTES_EPOCHS / theirs[-1][0]),
        notes_auc=[round(value, 4) for _, value in theirs],
        our_auc=round(aucs[-1], 4),
        our_epochs=len(aucs),
        times_sooner=round(theirs[-1][0] / ours_s, 1),
        times_sooner_than_their_best_epoch=round(best_at / ours_s, 1),
    )
