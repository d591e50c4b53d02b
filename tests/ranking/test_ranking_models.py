"""What holds for every kind of ranking model: one contract, each kind trained once."""

import functools
from dataclasses import replace

import models_reference
import numpy as np
import pandas as pd
import pytest
from made_samples import make_samples
from numpy.testing import assert_allclose, assert_array_equal

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.evaluation import log_loss
from recsys_lib.ranking import (
    KINDS,
    DienConfig,
    DinConfig,
    FeatureInputs,
    RankingConfig,
    RankingModel,
    TrainingConfig,
    config_for,
    fitting,
    train_model,
    training,
)
from recsys_lib.ranking.config import HISTORY
from recsys_lib.seeding import generator

CONFIG = RankingConfig(
    bags=("item_title_words",),
    history=HISTORY[:4],
    embedding_dim=4,
    hidden=(16, 8),
    id_dropout=0.1,
    training=TrainingConfig(batch_size=50, epochs=100, patience=0, learning_rate=0.02),
)
D, H1, H2, HISTORY_UNITS, PAIRS = 4, 16, 8, 36, 10_000


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """100 samples whose labels are coins: they can only be learned by heart."""
    frame = make_samples(400).drop_duplicates(["user_id", "item_id"])[:100]
    return frame.assign(label=generator(8, "coins").permutation(100) % 2)


def train(kind: str, rows: pd.DataFrame) -> RankingModel:
    if kind == "logistic_regression":  # a line has no room for coins: likes of even users
        rows = rows.assign(label=rows["user_id"] % 2)
    return train_model(kind, rows, config=config_for(kind, CONFIG), seed=5)


@pytest.fixture(scope="module")
def trained(rows):
    """Return the model of a kind; whoever asks again gets the same one."""
    return functools.cache(lambda kind: train(kind, rows))


@pytest.fixture(scope="module", params=KINDS)
def model(request, trained) -> RankingModel:
    return trained(request.param)


@pytest.fixture(scope="module")
def strange() -> pd.DataFrame:
    """Samples with unknown and missing values, holes in the history, empty and missing lists."""
    frame = make_samples(80, seed=4)
    frame.loc[::5, "user_id"], frame.loc[::6, "item_id"] = 10**9, -1
    frame.loc[::4, "user_liked_item_2"], frame.loc[::3, "user_liked_item_1"] = pd.NA, 10**9
    frame.loc[::2, "item_rating_mean"] = np.nan
    frame["item_title_words"] = [
        [None, [], ["unheard"], ["sea"], ["the", "unheard", "wolf"] * 9][i % 5] for i in range(80)
    ]
    return frame


def logits(model: RankingModel, samples: pd.DataFrame) -> np.ndarray:
    """Return what the network ends with before the sigmoid, which would hide differences."""
    from recsys_lib.ranking.layers import keras

    network = model.network
    before = keras.Model(network.inputs, network.layers[-1].input)
    return np.asarray(before(list(model.inputs.encode(samples))))[:, 0]


def test_it_overfits_100_rows(model, rows):
    labels = rows["label"] if model.kind != "logistic_regression" else rows["user_id"] % 2
    probability = model.predict(rows)
    assert ((probability > 0.5) == labels).all()
    assert log_loss(labels, probability) < 0.05


def pair_rows(model: RankingModel, samples: pd.DataFrame) -> np.ndarray:
    """Ask Wide & Deep which weight it takes for each pair: all others are 0, this one its row."""
    weights = {name: np.zeros_like(array) for name, array in model.weights.items()}
    weights["pairs/table"][:, 0] = np.arange(len(weights["pairs/table"]))
    probe = replace(model, weights=weights)
    alone = []
    for column in model.inputs.history:
        others = set(model.inputs.history) - {column}
        alone.append(logits(probe, samples.assign(**dict.fromkeys(others))))
    return np.stack(alone, axis=1).astype(int)


def test_scores_are_those_of_the_formula(model, strange):
    rows = pair_rows(model, strange) if model.kind == "wide_deep" else None
    expected = models_reference.logits(model, strange, rows)
    assert expected.std() > 0.5
    assert_allclose(logits(model, strange), expected, rtol=1e-4, atol=1e-4)
    assert_allclose(model.predict(strange), 1 / (1 + np.exp(-expected)), atol=1e-5)


@pytest.mark.parametrize("model", ["wide_deep"], indirect=True)
def test_each_known_pair_has_a_weight_and_few_pairs_share_one(model, strange):
    rows = pair_rows(model, strange)
    codes, _ = model.inputs.encode(strange)
    candidate, liked = codes[:, :1], codes[:, -rows.shape[1] :]
    known = (candidate > 0) & (liked > 0)
    assert known.any()
    assert not known.all()
    assert (rows[~known] == 0).all()
    assert ((rows[known] > 0) & (rows[known] < PAIRS)).all()
    # One pair has one weight, wherever in the history it stands.
    pairs = np.stack(np.broadcast_arrays(candidate, liked), axis=-1)[known]
    n_pairs = len(np.unique(pairs, axis=0))
    assert len(np.unique(np.column_stack([pairs, rows[known]]), axis=0)) == n_pairs
    # A random hash of so many pairs leaves this many rows different, give or take.
    expected = PAIRS * (1 - (1 - 1 / PAIRS) ** n_pairs)
    assert len(np.unique(rows[known])) > 0.95 * expected


def test_parameters_are_those_worked_out_by_hand(model):
    rows, fields, m = sum(model.inputs.sizes), 12, 7  # ten categories, a bag, the history
    wide = fields * D + m
    mlp = (H1 + 1) * H2 + H2 + 1  # what follows the first layer
    weights = rows + model.inputs.sizes[0]  # a liked item's weight is not the candidate's
    linear = weights + m + 1
    attention = (4 * D + 1) * HISTORY_UNITS + HISTORY_UNITS + 1
    factors = (rows + m) * D
    expected = {
        "logistic_regression": linear,
        "fm": linear + factors,
        "fnn": weights + factors + (fields + (fields + m) * D + m + 1) * H1 + mlp,
        "wide_deep": linear + PAIRS + rows * D + (wide + 1) * H1 + mlp,
        "deep_crossing": rows * D
        + sum((wide + 1) * units + (units + 1) * wide for units in (H1, H2))
        + (wide + 1),
        "neural_cf": 2 * rows * D + (2 * D + 1) * H1 + mlp + D,
        "deepfm": linear + factors + ((fields + m) * D + 1) * H1 + mlp,
        # The interest is in the place of the history's mean.
        "din": rows * D + attention + (wide + 1) * H1 + mlp,
        "dien": rows * D
        + 3 * (2 * D * D + 2 * D)  # Keras' GRU has two biases
        + attention
        + 3 * (2 * D * D + D)
        + (wide + 1) * H1
        + mlp,
        "dcn_v2": rows * D + 2 * (wide + 1) * wide + (wide + 1) * H1 + mlp + wide,
        "embedding_mlp": rows * D + (wide + 1) * H1 + mlp,
    }
    assert model.n_parameters == expected[model.kind]


def test_gradients_flow_to_every_weight(model):
    import tensorflow as tf

    network, samples = model.network, make_samples(300, seed=6)
    with tf.GradientTape() as tape:
        like = network(list(model.inputs.encode(samples)), training=True)
        loss = tf.keras.losses.binary_crossentropy(samples["label"].to_numpy()[:, None], like)
        loss = tf.reduce_mean(loss) + sum(network.losses)
    trained = network.trainable_variables
    assert {variable.path for variable in trained} == set(model.weights)
    for variable, gradient in zip(trained, tape.gradient(loss, trained), strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(slope := tf.convert_to_tensor(gradient).numpy()).all(), variable.path
        assert slope.any(), variable.path


def test_padding_never_leaks(model, strange):
    # A missing liked item, an unknown one and another unknown one are all no item.
    liked = [logits(model, strange.assign(**dict.fromkeys(CONFIG.history[1:], value)))
             for value in (None, 10**9, -3)]  # fmt: skip
    # The same holds for lists: nothing, an empty list, and words nobody knows.
    words = [logits(model, strange.assign(item_title_words=[value] * len(strange)))
             for value in (None, [], ["unheard"], ["unheard"] * 40)]  # fmt: skip
    for scores in (liked, words):
        for other in scores[1:]:
            assert_array_equal(other, scores[0])


def test_rows_are_scored_alone_as_together(model, strange):
    together = logits(model, strange)
    assert_allclose(logits(model, strange[::-1])[::-1], together, rtol=1e-5, atol=1e-5)
    assert_allclose(logits(model, strange[7:8]), together[7:8], rtol=1e-5, atol=1e-5)
    assert model.predict(strange[:0]).shape == (0,)


def test_unknown_ids_and_missing_values_are_predicted(model, strange):
    nothing = strange.assign(**dict.fromkeys(model.inputs.numbers, np.nan))
    nothing[[*model.inputs.categories, *CONFIG.bags, *CONFIG.history]] = None
    scores = model.predict(nothing)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) == 0
    unseen = model.predict(nothing.assign(user_id=-5, item_id=10**15))
    assert_array_equal(unseen, scores)


def test_saved_and_loaded_it_scores_the_same(model, strange, tmp_path):
    model.save(tmp_path / "model")
    loaded = RankingModel.load(tmp_path / "model")
    assert (loaded.kind, loaded.config) == (model.kind, model.config)
    assert_allclose(logits(loaded, strange), logits(model, strange), rtol=1e-5, atol=1e-5)


# Between them: a machine trained first, hidden ids, recurrent layers, others' items as negatives.
@pytest.mark.parametrize("model", ["fnn", "dien"], indirect=True)
def test_the_same_seed_gives_the_same_weights(model, rows):
    again = train(model.kind, rows)
    for name, weights in model.weights.items():
        assert_array_equal(again.weights[name], weights, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_two_ids_are_enough_to_build_it(kind, strange):
    bare = RankingConfig(categories=("item_id", "user_id"), numbers=(), hidden=(4,))
    config = config_for(kind, bare)
    inputs = FeatureInputs.fit(strange, config.categories, (), True, history=config.history)
    scores = RankingModel(kind, config, inputs, {}).predict(strange)
    assert ((scores > 0) & (scores < 1)).all()


def test_fnn_begins_where_its_machine_ended(rows, monkeypatch):
    before, after, rates, logs = [], [], [], []

    def watched(network, chunks, config, *args):
        before.append({v.path: v.numpy().copy() for v in network.weights})
        log = training.train(network, chunks, config, *args)
        after.append({v.path: v.numpy().copy() for v in network.weights})
        rates.append(config.learning_rate)
        logs.append(log)
        return log

    monkeypatch.setattr(fitting, "train", watched)
    config = config_for("fnn", CONFIG.fixed_epochs(1)).with_settings(machine_learning_rate=0.05)
    model = train_model("fnn", rows, config=config)
    machine, (_, fnn) = after[0], before
    shared = {"embeddings/table", "first_order/table", "number_vectors/table"}
    assert fnn.keys() & machine.keys() == shared
    for name in shared:
        assert_array_equal(fnn[name], machine[name])
        assert np.abs(machine[name] - before[0][name]).max() > 0.01  # it had learned
    assert rates == [0.05, CONFIG.training.learning_rate]
    # Its seconds count: without them FNN would seem as cheap as its second half.
    assert model.log.total_seconds == logs[0].seconds[0] + logs[1].seconds[0]


def part_of(network, *names):
    """Return the network up to some layers, as a function of codes, numbers and ``training``."""
    from recsys_lib.ranking.layers import keras

    return keras.Model(network.inputs, [network.get_layer(name).output for name in names])


@pytest.mark.parametrize("kind", ["din", "dien"])
def test_attention_sees_the_candidate_that_training_hides_elsewhere(kind, rows):
    model = train_model(kind, rows, config=replace(CONFIG.fixed_epochs(1), id_dropout=0.5))
    samples = list(model.inputs.encode(make_samples(300, seed=6)))
    look = part_of(model.network, "embeddings", "attention")
    _, asked = look(samples)
    vectors, trained = look(samples, training=True)
    (item,) = [field.codes.start for field in model.inputs.fields if field.name == "item_id"]
    hidden = (np.asarray(vectors)[:, item] == 0).all(axis=1)
    known = samples[0][:, item] > 0
    assert 0.4 < hidden[known].mean() < 0.6
    assert np.asarray(asked)[hidden & known].any(axis=1).mean() > 0.5
    assert_allclose(trained, asked, rtol=1e-6)


@pytest.mark.parametrize(("kind", "interest"), [("din", "attention"), ("dien", "evolution")])
def test_the_history_reaches_the_score_by_the_interest_alone(kind, interest, rows):
    model = train_model(kind, rows, config=CONFIG.fixed_epochs(1))
    nothing = {n: 0 * w if n.startswith(f"{interest}/") else w for n, w in model.weights.items()}
    forgetful = dict.fromkeys(CONFIG.history, None)
    for weights, depends in ((model.weights, True), (nothing, False)):
        other = replace(model, weights=weights)
        same = np.array_equal(logits(other, rows.assign(**forgetful)), logits(other, rows))
        assert same is not depends


def test_a_hidden_id_loses_its_vector_and_its_weight_together(rows):
    model = train_model("fm", rows, config=replace(CONFIG.fixed_epochs(1), id_dropout=0.5))
    model = replace(model, weights={name: np.ones_like(w) for name, w in model.weights.items()})
    look = part_of(model.network, "embeddings", "first_order")
    vectors, weights = look(list(model.inputs.encode(rows)), training=True)
    ids = slice(0, 2)
    hidden = [(np.asarray(x)[:, ids] == 0).all(axis=2) for x in (vectors, weights)]
    assert 0.3 < hidden[0].mean() < 0.7
    assert_array_equal(*hidden)


def test_neural_cf_reads_both_ids_in_every_training_sample(rows):
    config = replace(CONFIG.fixed_epochs(1), id_dropout=0.9, dropout=0.0)
    model = train_model("neural_cf", rows, config=config)
    samples = list(model.inputs.encode(rows))
    assert_array_equal(model.network(samples, training=True), model.network(samples))


@pytest.mark.parametrize("kind", ["logistic_regression", "fm", "deepfm", "wide_deep"])
def test_a_film_weighs_something_else_as_liked_item_and_as_candidate(kind):
    """Nobody likes film 1, and all who once did like film 2."""
    frame = pd.DataFrame({"user_id": 0, "item_id": [1, 2] * 100, "liked": [[2], [1]] * 100})
    frame["label"] = (frame["item_id"] != 1).astype(int)
    config = RankingConfig(
        categories=("item_id",), numbers=(), history=("liked",), id_dropout=0.0, embedding_l2=0.0,
        training=TrainingConfig(batch_size=20, epochs=30, patience=0, learning_rate=0.03),
    )  # fmt: skip
    model = train_model(kind, frame, config=config_for(kind, config), seed=5)
    field = {each.name: each for each in model.inputs.fields}
    table = model.weights["first_order/table"][:, 0]
    row = {f.name: model.inputs.weight_offsets[f.codes.start] for f in field.values()}
    candidate, liked = (table[row[name] + 1] for name in ("item_id", "history"))
    assert candidate < 0 < liked


def test_a_stored_model_of_an_earlier_network_is_refused(rows, tmp_path):
    model = train_model("din", rows, config=CONFIG.fixed_epochs(1))
    model.save(tmp_path / "din")
    described = files.read_json(tmp_path / "din" / "model.json")
    del described["version"]  # as the first version wrote it
    files.write_json(tmp_path / "din" / "model.json", described)
    with pytest.raises(DataError, match=r"version 1 of 'din'.*train it again"):
        RankingModel.load(tmp_path / "din")


def test_frozen_vectors_stay_and_all_else_learns(rows):
    config = replace(CONFIG, frozen=("item_id",))
    short = train_model("deepfm", rows, config=config.fixed_epochs(1))
    long = train_model("deepfm", rows, config=config.fixed_epochs(2))
    sizes = long.inputs.sizes
    items = slice(1, sizes[0])  # item_id comes first; row 0 is the unknown one's
    before, after = (model.weights["embeddings/table"] for model in (short, long))
    assert_array_equal(before[items], after[items])
    users = slice(sizes[0] + 1, sum(sizes[:2]))
    assert (before[users] != after[users]).any(axis=1).all()
    # The weight that an item has beside its vector is learned all the same.
    assert long.weights["first_order/table"][items].all()


def test_an_unknown_kind_names_the_nearest(rows):
    with pytest.raises(DataError, match=r"kind 'deep_fm'.*Did you mean 'deepfm'"):
        train_model("deep_fm", rows)


@pytest.mark.parametrize(
    ("kind", "config", "says"),
    [
        ("neural_cf", RankingConfig(categories=("item_id",)), "needs the categories user_id"),
        ("din", DinConfig(history=()), "reads the user's history"),
        ("dien", DienConfig(history=()), "reads the user's history"),
    ],
)
def test_what_a_kind_cannot_do_without_is_named(rows, kind, config, says):
    with pytest.raises(DataError, match=says):
        train_model(kind, rows, config=config)
