"""Progressive validation against a loop by hand, and a guard against a planted bad batch."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.online.progressive import (
    NEVER,
    ONLINE,
    GuardedLearner,
    log_losses,
    progressive,
)
from recsys_lib.rankers import FtrlLogisticRegression
from recsys_lib.seeding import generator


def stream(n=3_000, seed=1):
    """Return rows, labels and times; the sign of a weight changes half-way."""
    rng = generator(seed, "a stream that changes")
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    sign = np.where(np.arange(n) < n // 2, 1, -1)
    chance = 1 / (1 + np.exp(-(2 * sign * x[:, 1] + x[:, 2])))
    return x, (rng.random(n) < chance).astype(int), np.sort(rng.uniform(0, 1_000, n))


@pytest.mark.parametrize("interval_s", [10.0, 300.0])
def test_an_event_is_predicted_by_what_was_learned_before_its_interval(interval_s):
    x, y, times = stream(400)
    found = progressive(FtrlLogisticRegression(), x, y, times, interval_s)
    for row in range(0, 400, 37):
        before = times < np.floor(times[row] / interval_s) * interval_s
        model = FtrlLogisticRegression()
        if before.any():
            model.partial_fit(x[before], y[before])
        assert found[row] == pytest.approx(model.predict(x[row : row + 1])[0], abs=1e-12)


def test_online_and_never_are_the_ends():
    x, y, times = stream(60)
    online = progressive(FtrlLogisticRegression(), x, y, times, ONLINE)
    model, by_hand = FtrlLogisticRegression(), []
    for row, label in zip(x, y, strict=True):
        by_hand.append(model.predict(row[None])[0])
        model.partial_fit(row[None], [label])
    assert online.tolist() == by_hand
    assert set(progressive(FtrlLogisticRegression(), x, y, times, NEVER)) == {0.5}


def test_a_change_costs_the_rare_updates_more():
    x, y, times = stream()
    loss = {}
    for interval_s in (ONLINE, 100.0, NEVER):
        model = FtrlLogisticRegression().partial_fit(x[:1_000], y[:1_000])
        predictions = progressive(model, x[1_000:], y[1_000:], times[1_000:], interval_s)
        loss[interval_s] = log_losses(y[1_000:], predictions).mean()
    assert loss[ONLINE] + 0.02 < loss[100.0]
    assert loss[100.0] + 0.02 < loss[NEVER]


def test_a_stream_out_of_order_is_refused():
    x, y, times = stream(10)
    with pytest.raises(RecsysError, match="order of time"):
        progressive(FtrlLogisticRegression(), x, y, times[::-1], ONLINE)


def test_the_guard_takes_a_flipped_batch_back_and_keeps_the_others():
    x, y, _ = stream(6_000)
    x, y = x[:3_000], y[:3_000]  # nothing changes in this half
    learner = GuardedLearner(FtrlLogisticRegression().partial_fit(x[:1_000], y[:1_000]))
    with pytest.raises(RecsysError, match="trust"):
        learner.learn(x[:5], y[:5])
    learner.trust(x[:1_000], y[:1_000])
    for batch in range(10):
        rows = slice(1_000 + 200 * batch, 1_200 + 200 * batch)
        before = learner.model.weights.copy()
        flipped = batch == 6
        assert learner.learn(x[rows], 1 - y[rows] if flipped else y[rows]) is not flipped
        assert np.array_equal(learner.model.weights, before) is flipped
    assert [entry["kept"] for entry in learner.history].index(False) == 6
