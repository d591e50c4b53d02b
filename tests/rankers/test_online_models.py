"""Light models, against Keras' own FTRL, finite differences, and planted answers."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.rankers import FtrlLogisticRegression, ShallowNetwork
from recsys_lib.seeding import generator


def events(n=400, dim=6, seed=3):
    rng = generator(seed, "online events")
    x = np.column_stack([np.ones(n), rng.normal(size=(n, dim))])
    x[rng.random(x.shape) < 0.3] = 0  # a weight whose feature is absent stays
    truth = np.array([0.2, 2, -1.5, 0, 0, 1, 0])
    return x, (rng.random(n) < 1 / (1 + np.exp(-x @ truth))).astype(float), truth


@pytest.mark.parametrize("penalties", [{}, {"l1": 0.5, "l2": 0.3}, {"beta": 0.1, "alpha": 0.5}])
def test_ftrl_is_that_of_the_paper_as_keras_has_it(penalties):
    from recsys_lib.keras_backend import load_keras

    settings = {"alpha": 0.1, "beta": 1.0, "l1": 0.0, "l2": 0.0, **penalties}
    x, y, _ = events(120)
    keras = load_keras()
    weights = keras.Variable(np.zeros(x.shape[1], np.float32))
    optimizer = keras.optimizers.Ftrl(
        settings["alpha"],
        initial_accumulator_value=0.0,
        l1_regularization_strength=settings["l1"],
        l2_regularization_strength=settings["l2"] / 2,
        beta=settings["beta"],
    )
    optimizer.build([weights])
    model = FtrlLogisticRegression(**settings)
    for row, label in zip(x, y, strict=True):
        p = 1 / (1 + np.exp(-float(np.asarray(weights) @ row)))
        optimizer.apply([((p - label) * row).astype(np.float32)], [weights])
        model.partial_fit(row[None], [label])
        assert np.abs(model.weights - np.asarray(weights)).max() < 2e-5  # Keras has 32 bits
    assert np.ptp(model.weights) > 0.1
    p = 1 / (1 + np.exp(-(x @ np.asarray(weights, np.float64))))
    assert np.abs(model.predict(x) - p).max() < 1e-6


def test_ftrl_finds_the_planted_weights_and_sets_the_others_to_zero():
    x, y, truth = events(20_000)
    plain = FtrlLogisticRegression(alpha=0.1).partial_fit(x, y)
    assert np.abs(plain.weights - truth).max() < 0.15
    sparse = FtrlLogisticRegression(alpha=0.1, l1=60).partial_fit(x, y)
    assert (sparse.weights[truth == 0] == 0).all()
    assert (sparse.weights[np.abs(truth) >= 1] != 0).all()


def test_the_gradient_is_that_of_finite_differences():
    x, y, _ = events(5)
    model = ShallowNetwork(hidden=4, l2=0.1, seed=2).partial_fit(x[:3], y[:3])
    parts = model._parts()

    def loss(row, label):
        p = model.predict(row[None])[0]
        squares = sum(np.square(part).sum() for part in parts)
        return -np.log(p if label else 1 - p) + 0.05 * squares

    found, numeric = model.gradient(x[4], y[4]), []
    for part in parts:
        for place in np.ndindex(part.shape):
            kept = part[place]
            part[place] = kept + 1e-6
            above = loss(x[4], y[4])
            part[place] = kept - 1e-6
            numeric.append((above - loss(x[4], y[4])) / 2e-6)
            part[place] = kept
    assert np.abs(found - numeric).max() < 1e-6


def test_a_hidden_layer_learns_what_no_weight_a_feature_can():
    """A like if and only if two signs agree."""
    rng = generator(4, "signs")
    x = np.column_stack([np.ones(3_000), rng.choice([-1, 1], (3_000, 2))])
    y = (x[:, 1] == x[:, 2]).astype(float)
    deep = ShallowNetwork(hidden=8, learning_rate=0.1).partial_fit(x, y).predict(x)
    flat = FtrlLogisticRegression().partial_fit(x, y).predict(x)
    assert ((deep > 0.5) == y).mean() > 0.95
    assert np.abs(flat - 0.5).max() < 0.2


@pytest.mark.parametrize("model", [FtrlLogisticRegression, ShallowNetwork])
def test_it_learns_from_parts_as_from_the_whole(model):
    x, y, _ = events(50)
    assert (model().predict(x) == 0.5).all()  # nothing learned, nothing known
    whole, parts = model().partial_fit(x, y), model()
    for start in range(0, 50, 7):
        parts.partial_fit(x[start : start + 7], y[start : start + 7])
    assert (whole.predict(x) == parts.predict(x)).all()


def test_wrong_settings_are_refused():
    with pytest.raises(RecsysError, match="alpha must be positive"):
        FtrlLogisticRegression(alpha=0)
    with pytest.raises(RecsysError, match="hidden and learning_rate"):
        ShallowNetwork(hidden=0)
