"""Off-policy estimates: golden numbers, the truth of a simulator, and what wrong inputs do."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation.off_policy import Logged, effective_sample_size, off_policy_value

N, ARMS = 60, 4


def softmax(scores):
    weights = np.exp(scores)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.fixture
def example():
    """A log made by formulas, which no generator's version can change."""
    row, arm = np.arange(N)[:, None], np.arange(ARMS)[None]
    behaviour = softmax(np.sin(0.7 * row + 1.3 * arm))
    target = softmax(2 * np.cos(0.3 * row + 0.9 * arm))
    model = 0.5 + 0.4 * np.sin(0.2 * row * arm + 0.5 * arm)
    number = np.arange(N)
    actions = (7 * number + number**2 // 5) % ARMS
    rewards = ((13 * number) % 7 < 3).astype(float)
    return Logged(actions, rewards, behaviour[number, actions]), target, model


# Open Bandit Pipeline 0.5.7 on the example above, with lambda 1.5 for Switch and 2 for DRos.
GOLDEN = {
    "ipw": 0.4471200503586469,
    "snipw": 0.2975510537440798,
    "dm": 0.5166228483542616,
    "dr": 0.22858789087805617,
    "sndr": 0.3249403124370514,
    "switch": 0.5226599635194692,
    "dros": 0.502349992414583,
}


@pytest.mark.parametrize("estimator", GOLDEN)
def test_the_golden_numbers(example, estimator):
    values = off_policy_value(*example, largest_weight=1.5, shrinkage=2.0)
    assert values.loc[estimator, "value"] == pytest.approx(GOLDEN[estimator], abs=1e-12)


def test_replay_is_the_mean_of_the_rounds_that_agree(example):
    logged, target, _ = example
    best = (target == target.max(axis=1, keepdims=True)).astype(float)
    row = off_policy_value(logged, best).loc["replay"]
    assert row["value"] == pytest.approx(0.4285714285714286, abs=1e-12)  # the same pipeline's
    agree = target.argmax(axis=1) == logged.actions
    assert row["rounds"] == agree.sum()


def test_the_logging_policy_earned_what_it_earned(example):
    logged = example[0]
    target = np.full((N, ARMS), 0.25)
    own = Logged(logged.actions, logged.rewards, np.full(N, 0.25))
    for name in ("ipw", "snipw"):
        value = off_policy_value(own, target).loc[name, "value"]
        assert value == pytest.approx(logged.rewards.mean())
    assert effective_sample_size(own, target) == pytest.approx(N)


def test_effective_sample_size_by_hand():
    logged = Logged(np.array([0, 0, 1]), np.zeros(3), np.array([0.5, 0.5, 0.5]))
    # Weights 1.5, 1.5, 0.5: 3.5 ** 2 / (2.25 + 2.25 + 0.25).
    target = np.tile([0.75, 0.25], (3, 1))
    assert effective_sample_size(logged, target) == pytest.approx(12.25 / 4.75)


class World:
    """Contexts with known chances of reward, a logging and a target policy."""

    def __init__(self, n=800, arms=5):
        rng = np.random.default_rng(0)
        scores = rng.normal(size=(200, arms))
        self.n = n
        self.likes = 1 / (1 + np.exp(-scores))
        self.behaviour = softmax(0.5 * rng.normal(size=(200, arms)))
        self.target = softmax(scores)
        self.truth = (self.target * self.likes).sum(axis=1).mean()

    def log(self, seed):
        rng = np.random.default_rng(seed)
        rows = rng.integers(200, size=self.n)
        ends = self.behaviour[rows].cumsum(axis=1)
        arms = (rng.random(self.n)[:, None] >= ends).sum(axis=1)
        rewards = (rng.random(self.n) < self.likes[rows, arms]).astype(float)
        return rows, Logged(arms, rewards, self.behaviour[rows, arms])


def test_intervals_cover_the_truth():
    """95 % of them, for each estimator that is right."""
    world = World()
    rng = np.random.default_rng(1)
    wrong = np.clip(world.likes + 0.2 * rng.normal(size=world.likes.shape), 0, 1)
    covered = []
    for seed in range(1_000):
        rows, logged = world.log(seed)
        table = off_policy_value(
            logged, world.target[rows], wrong[rows], estimators=["ipw", "snipw", "dr", "sndr"]
        )
        covered.append((table["low"] <= world.truth) & (world.truth <= table["high"]))
    share = np.mean(covered, axis=0)
    assert ((share >= 0.93) & (share <= 0.97)).all(), share


@pytest.mark.parametrize(
    ("model", "propensities", "right"),
    [
        ("right", "right", {"ipw", "snipw", "dm", "dr"}),
        ("wrong", "right", {"ipw", "snipw", "dr"}),
        ("right", "wrong", {"dm", "dr"}),
        ("wrong", "wrong", set()),
    ],
)
def test_doubly_robust_needs_one_of_two(model, propensities, right):
    world = World(n=200_000)
    rows, logged = world.log(7)
    if propensities == "wrong":
        uniform = np.full(world.n, 1 / 5) * np.where(logged.actions == 0, 2.0, 0.75)
        logged = Logged(logged.actions, logged.rewards, uniform)
    likes = world.likes if model == "right" else np.clip(world.likes + 0.15, 0, 1)
    table = off_policy_value(
        logged, world.target[rows], likes[rows], estimators=["ipw", "snipw", "dm", "dr"]
    )
    off = (table["value"] - world.truth).abs()
    assert set(off.index[off < 0.005]) == right


def test_a_wrong_scale_of_propensities_is_normalised_away(example):
    logged, target, _ = example
    halved = Logged(logged.actions, logged.rewards, logged.propensities / 2)
    before, after = (off_policy_value(log, target)["value"] for log in (logged, halved))
    assert after["ipw"] == pytest.approx(2 * before["ipw"])
    assert after["snipw"] == pytest.approx(before["snipw"])


def test_nothing_agrees():
    logged = Logged(np.array([0, 0]), np.ones(2), np.full(2, 0.5))
    target = np.array([[0.0, 1.0]] * 2)
    table = off_policy_value(logged, target)
    assert table["value"].isna().to_dict() == {"replay": True, "ipw": False, "snipw": True}
    assert table.loc["replay", "rounds"] == 0
    assert effective_sample_size(logged, target) == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.full((N, 2), 0.5)}, "the policy chooses among 0 to 1"),
        ({"target": np.full((N, ARMS), 0.3)}, "add up to 1"),
        ({"target": np.full((3, ARMS), 0.25)}, "do not fit 60 rounds"),
        ({"model": np.zeros((N, 2))}, "The model has shape"),
        ({"model": None, "estimators": ["dr"]}, "needs a model"),
        ({"estimators": ["ips"]}, "Did you mean 'ipw'"),
        ({"estimators": ["replay"]}, "sure of one action"),
    ],
)
def test_what_does_not_fit_is_refused(example, change, message):
    logged, target, model = example
    call = {"target": target, "model": model, **change}
    with pytest.raises(RecsysError, match=message):
        off_policy_value(logged, **call)


def test_a_log_without_propensities_is_refused():
    with pytest.raises(RecsysError, match=r"go from 0\.0 to 0\.5"):
        Logged(np.array([0, 1]), np.zeros(2), np.array([0.0, 0.5]))
    with pytest.raises(RecsysError, match="2 actions, 1 rewards"):
        Logged(np.array([0, 1]), np.zeros(1), np.array([0.5, 0.5]))
