"""Each layer against its paper's formula, written out here sample by sample in numpy."""

from itertools import combinations

import numpy as np
import pytest
from models_reference import attention, dense, gru, relu
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.metrics import log_loss

from recsys_lib.seeding import generator

N, LENGTH, DIM, UNITS = 7, 5, 3, 4


@pytest.fixture(scope="module")
def layers():
    """The module under test, imported late because it loads TensorFlow."""
    from recsys_lib.ranking import layers

    return layers


@pytest.fixture(scope="module")
def sequences():
    """The other module under test."""
    from recsys_lib.ranking import sequence_layers

    return sequence_layers


@pytest.fixture
def rng() -> np.random.Generator:
    return generator(6, "ranking layers")


def close(found, expected):
    assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


def randomised(layer, rng, *inputs) -> dict[str, np.ndarray]:
    """Build a layer for these inputs, draw all its weights, biases too, and return them."""
    layer(*inputs)
    for variable in layer.weights:
        variable.assign(rng.normal(size=variable.shape))
    return {v.path.partition("/")[2]: np.asarray(v, np.float64) for v in layer.weights}


def some_known(rng) -> np.ndarray:
    """Draw which places of N histories are known; one history is empty, one has a hole."""
    known = rng.random((N, LENGTH)) < 0.6
    known[0], known[1] = False, [True, False, True, True, False]
    return known


# --- Look-up tables ---------------------------------------------------------------------

OFFSETS, SIZES = np.array([0, 4, 0]), (4, 3)  # the third column shares the first one's table


def some_codes(rng, n=N) -> np.ndarray:
    return np.stack([rng.integers(0, SIZES[table], n) for table in (0, 1, 0)], axis=1)


def test_lookup_takes_the_row_of_each_code_and_zeros_for_the_unknown(layers, rng):
    codes = some_codes(rng)
    layer = layers.EmbeddingTables(OFFSETS, sum(SIZES), DIM)
    table = randomised(layer, rng, codes)["table"]
    expected = np.zeros((N, 3, DIM))
    for i, column in np.ndindex(codes.shape):
        if codes[i, column]:
            expected[i, column] = (table[:4], table[4:], table[:4])[column][codes[i, column]]
    close(layer(codes), expected)
    close(layer(codes, training=True), expected)


def test_codes_are_hidden_in_training_only_each_column_at_its_rate(layers, rng):
    codes = np.maximum(some_codes(rng, 4_000), 1)
    layer = layers.HiddenIds([0.3, 0.0, 0.3])
    assert_array_equal(layer(codes), codes)
    trained = np.asarray(layer(codes, training=True))
    hidden = trained == 0
    assert_array_equal(trained[~hidden], codes[~hidden])
    assert not hidden[:, 1].any()
    # Four standard errors of a share of 0.3 and, as columns are drawn apart, of 0.09.
    assert abs(hidden[:, [0, 2]].mean(axis=0) - 0.3).max() < 0.029
    assert abs((hidden[:, 0] & hidden[:, 2]).mean() - 0.09) < 0.018


@pytest.mark.parametrize("only", [slice(1, 2), slice(1, 3)])
def test_some_columns_are_looked_up_alone_as_with_all_and_charged_once(layers, rng, only):
    codes = some_codes(rng)
    layer = layers.EmbeddingTables(OFFSETS, sum(SIZES), DIM, l2=0.1)
    randomised(layer, rng, codes)
    assert_array_equal(layer(codes[:, only], only=only, training=True), layer(codes)[:, only])
    assert layer.losses == []


@pytest.mark.parametrize("frozen", [None, np.array([False, True, False])])
def test_lookup_gradients_reach_the_rows_looked_up_unless_frozen(layers, rng, frozen):
    import tensorflow as tf

    codes = some_codes(rng)
    layer = layers.EmbeddingTables(OFFSETS, sum(SIZES), DIM, frozen=frozen)
    randomised(layer, rng, codes)
    slope = rng.normal(size=(N, 3, DIM))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(codes) * slope)
    expected = np.zeros((sum(SIZES), DIM))
    for i, column in np.ndindex(codes.shape):
        if codes[i, column] and (frozen is None or not frozen[column]):
            expected[OFFSETS[column] + codes[i, column]] += slope[i, column]
    close(tf.convert_to_tensor(tape.gradient(loss, layer.table)), expected)


def test_lookup_charges_the_mean_squared_length_of_a_samples_vectors(layers, rng):
    codes = some_codes(rng)
    layer = layers.EmbeddingTables(OFFSETS, sum(SIZES), DIM, l2=0.1)
    randomised(layer, rng, codes)
    vectors = np.asarray(layer(codes))
    assert layer.losses == []
    layer(codes, training=True)
    close(layer.losses, [0.1 * (vectors**2).sum() / N])


def test_a_fields_vector_is_the_mean_of_its_known_places(layers, rng):
    codes = rng.integers(0, 3, (N, 4))
    codes[0] = 0
    vectors = rng.normal(size=(N, 4, DIM)) * (codes > 0)[:, :, None]
    found = layers.FieldMeans([(0, 1), (1, 4)])(vectors, codes)
    expected = np.zeros((N, 2, DIM))
    expected[:, 0] = vectors[:, 0]
    for i in range(N):
        if (there := codes[i, 1:] > 0).any():
            expected[i, 1] = vectors[i, 1:][there].mean(axis=0)
    close(found, expected)


# --- Products ---------------------------------------------------------------------------


@pytest.mark.parametrize("n_fields", [1, 2, 6])
def test_the_linear_time_identity_is_the_sum_over_pairs(layers, rng, n_fields):
    vectors = rng.normal(size=(N, n_fields, DIM))
    expected = np.zeros((N, DIM))
    for i, j in combinations(range(n_fields), 2):
        expected += vectors[:, i] * vectors[:, j]
    close(layers.PairwiseInteractions()(vectors), expected)


def test_a_number_scales_its_own_vector(layers, rng):
    numbers = rng.normal(size=(N, 4))
    layer = layers.ScaledVectors(DIM, 0.01)
    table = randomised(layer, rng, numbers)["table"]
    close(layer(numbers), [[x * v for x, v in zip(row, table, strict=True)] for row in numbers])


def test_a_cross_layer_is_that_of_dcn_v2(layers, rng):
    x0, x = rng.normal(size=(2, N, DIM))
    layer = layers.FeatureCross()
    weights = randomised(layer, rng, x0, x)
    matrix, bias = weights["kernel"].T, weights["bias"]
    close(layer(x0, x), [a * (matrix @ b + bias) + b for a, b in zip(x0, x, strict=True)])


def test_k_cross_layers_reach_products_of_k_plus_1(layers):
    x0 = np.array([[-2.0], [0.5], [3.0]])
    crossed = x0
    for _ in range(3):
        layer = layers.FeatureCross()
        layer.build(x0.shape, x0.shape)
        layer.kernel.assign([[1.0]])
        crossed = layer(x0, crossed)
    close(crossed, x0 * (1 + x0) ** 3)  # each layer: x0 * x + x


def test_a_residual_unit_adds_two_layers_to_its_input(layers, rng):
    x = rng.normal(size=(N, DIM))
    layer = layers.ResidualUnit(UNITS)
    weights = randomised(layer, rng, x)
    inner = relu(dense(x, weights, "inner"))
    close(layer(x), relu(x + dense(inner, weights, "outer")))


def test_the_linear_part_weighs_the_numbers_only(layers, rng):
    terms = rng.normal(size=(N, 5))
    layer = layers.LinearTerms(3)
    weights = randomised(layer, rng, terms)
    assert weights["kernel"].shape == (2, 1)
    numbers = terms[:, 3:] @ weights["kernel"][:, 0]
    close(layer(terms)[:, 0], terms[:, :3].sum(axis=1) + numbers + weights["bias"])


# --- Attention and sequences ------------------------------------------------------------


@pytest.fixture
def history(rng):
    """Candidates, histories, and which of their places are known."""
    return rng.normal(size=(N, DIM)), rng.normal(size=(N, LENGTH, DIM)), some_known(rng)


@pytest.mark.parametrize("normalised", [False, True])
def test_attention_weighs_each_known_item_by_the_candidate(sequences, rng, history, normalised):
    layer = sequences.TargetAttention(UNITS, normalised=normalised)
    weights = randomised(layer, rng, *history)
    close(layer(*history), attention(*history, weights, normalised))


@pytest.mark.parametrize("normalised", [False, True])
def test_attention_ignores_what_lies_at_missing_places(sequences, rng, history, normalised):
    candidate, items, known = history
    layer = sequences.TargetAttention(UNITS, normalised=normalised)
    randomised(layer, rng, *history)
    # Large enough for a softmax that looks at them first to lose the known ones.
    elsewhere = np.where(known[:, :, None], items, 1_000 * rng.normal(size=items.shape))
    close(layer(candidate, elsewhere, known), layer(*history))


def test_augru_follows_its_equations_step_by_step(sequences, rng, history):
    _, sequence, known = history
    rates = rng.random((N, LENGTH))
    layer = sequences.AUGRU(UNITS)
    weights = randomised(layer, rng, sequence, rates, known)
    close(layer(sequence, rates, known), gru(sequence, known, weights, rates)[:, -1])


def test_augru_with_full_attention_is_the_gru_of_keras(sequences, rng, history):
    _, sequence, known = history
    layer, plain = sequences.AUGRU(UNITS), sequences.keras.layers.GRU(UNITS, reset_after=True)
    weights = randomised(layer, rng, sequence, np.ones((N, LENGTH)), known)
    # Keras keeps a share z of the state where the paper renews u = 1 - z: s(-x) = 1 - s(x).
    sign = np.repeat([-1.0, 1.0], [UNITS, 2 * UNITS])
    plain.build(sequence.shape)
    bias = np.stack([sign * weights["bias"], np.zeros(3 * UNITS)])
    plain.set_weights([sign * weights["kernel"], sign * weights["recurrent"], bias])
    close(layer(sequence, np.ones((N, LENGTH)), known), plain(sequence, mask=known))


def test_augru_without_attention_stays_where_it_began(sequences, rng, history):
    _, sequence, known = history
    layer = sequences.AUGRU(UNITS)
    nothing = np.zeros((N, LENGTH))
    randomised(layer, rng, sequence, nothing, known)
    assert_array_equal(layer(sequence, nothing, known), np.zeros((N, UNITS)))


def test_augru_ignores_what_lies_at_missing_places(sequences, rng, history):
    _, sequence, known = history
    rates = rng.random((N, LENGTH))
    layer = sequences.AUGRU(UNITS)
    randomised(layer, rng, sequence, rates, known)
    elsewhere = np.where(known[:, :, None], sequence, 1_000.0)
    close(layer(elsewhere, rates, known), layer(sequence, rates, known))


# --- DIEN's auxiliary loss --------------------------------------------------------------


def auxiliary_loss(sequences, interests, sequence, known, weight=0.5, training=True):
    layer = sequences.NextItemLoss(weight)
    assert_allclose(layer(interests, sequence, known, training=training), interests, rtol=1e-6)
    return [float(loss) for loss in layer.losses]


def test_the_auxiliary_loss_tells_the_next_item_from_another_samples(sequences, rng):
    interests, sequence = rng.normal(size=(2, N, LENGTH, DIM))
    known = some_known(rng)
    likes, others = [], []
    for i, t in np.ndindex(N, LENGTH - 1):
        if known[i, t] and known[i, t + 1]:
            likes.append(expit(interests[i, t] @ sequence[i, t + 1]))
            if known[i - 1, t + 1]:
                others.append(expit(interests[i, t] @ sequence[i - 1, t + 1]))
    expected = sum(
        log_loss(np.full(len(p), label), p, labels=[0, 1]) for label, p in ((1, likes), (0, others))
    )
    close(auxiliary_loss(sequences, interests, sequence, known), [0.5 * expected])
    # Nor does it look at what lies at missing places.
    elsewhere = np.where(known[:, :, None], sequence, 1_000.0)
    close(auxiliary_loss(sequences, interests, elsewhere, known), [0.5 * expected])


def test_the_auxiliary_loss_by_hand(sequences):
    interests = np.array([[[2.0], [0.0]], [[-1.0], [0.0]]])  # two samples, two steps, one number
    sequence = np.array([[[0.0], [1.0]], [[0.0], [3.0]]])
    # h.e: 2 * 1 and -1 * 3; against the other sample's item: 2 * 3 and -1 * 1.
    likes = (np.log1p(np.exp(-2)) + np.log1p(np.exp(3))) / 2
    others = (np.log1p(np.exp(6)) + np.log1p(np.exp(-1))) / 2
    known = np.ones((2, 2), bool)
    close(auxiliary_loss(sequences, interests, sequence, known, 1.0), [likes + others])


def test_the_auxiliary_loss_needs_two_known_items_in_a_row(sequences, rng):
    interests, sequence = rng.normal(size=(2, N, LENGTH, DIM))
    apart = np.tile([True, False, True, False, False], (N, 1))
    assert auxiliary_loss(sequences, interests, sequence, apart) == [0.0]
    everything = np.ones((N, LENGTH), bool)
    assert auxiliary_loss(sequences, interests, sequence, everything, training=False) == []
