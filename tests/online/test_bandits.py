"""Bandits: equal to closed forms and to an independent library, and better than chance."""

import warnings

import numpy as np
import pytest

from recsys_lib.online import (
    UCB,
    EpsilonGreedy,
    LinearGreedy,
    LinearThompson,
    LinUCB,
    RandomArms,
    SimulatedUsers,
    ThompsonSampling,
    play,
)

ALL = [
    RandomArms(),
    EpsilonGreedy(),
    UCB(),
    ThompsonSampling(),
    LinUCB(),
    LinearGreedy(),
    LinearThompson(),
]
every_bandit = pytest.mark.parametrize("bandit", ALL, ids=lambda b: type(b).__name__)
KNOWN_CHANCES = [b for b in ALL if not isinstance(b, ThompsonSampling | LinearThompson)]


def feed(bandit, rounds=60, n_runs=3, n_arms=4, dim=5, seed=0):
    """Let a bandit learn from rounds of which somebody else chose the arms."""
    rng = np.random.default_rng(seed)
    contexts = rng.normal(size=(rounds, n_runs, dim))
    arms = rng.integers(n_arms, size=(rounds, n_runs))
    rewards = (rng.random((rounds, n_runs)) < 0.3 + 0.15 * arms).astype(float)
    bandit.start(n_runs, n_arms, dim)
    for at in zip(contexts, arms, rewards, strict=True):
        bandit.update(*at)
    return contexts, arms, rewards


@every_bandit
def test_runs_are_independent(bandit):
    """Many runs at once are the same as one after the other."""
    contexts, arms, rewards = feed(bandit)
    state = {name: value for name, value in vars(bandit).items() if name.endswith("_")}
    for run in range(arms.shape[1]):
        bandit.start(1, 4, 5)
        for at in zip(contexts, arms, rewards, strict=True):
            bandit.update(*(part[run : run + 1] for part in at))
        for name, value in state.items():
            assert getattr(bandit, name)[0] == pytest.approx(value[run], abs=1e-12)


@every_bandit
def test_starting_forgets(bandit):
    feed(bandit)
    bandit.start(2, 3, 5)
    choices = bandit.choose(np.ones((2, 5)), np.random.default_rng(0))
    assert choices.shape == (2,)
    assert set(choices) <= {0, 1, 2}


@pytest.mark.parametrize("bandit", KNOWN_CHANCES, ids=lambda b: type(b).__name__)
@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_arms_are_chosen_as_often_as_their_chances_say(bandit, epsilon):
    feed(bandit, rounds=40, n_runs=1)
    bandit.epsilon, before = epsilon, bandit.epsilon
    context = np.full((1, 5), 0.5)
    rng = np.random.default_rng(1)
    counts = np.bincount([bandit.choose(context, rng)[0] for _ in range(4_000)], minlength=4)
    chances = bandit.chances(context)[0]
    bandit.epsilon = before
    assert chances.sum() == pytest.approx(1)
    assert counts / 4_000 == pytest.approx(chances, abs=0.03)


@pytest.mark.parametrize("bandit", [ThompsonSampling(), LinearThompson()])
def test_drawn_scores_have_no_chances(bandit):
    bandit.start(1, 2, 3)
    with pytest.raises(TypeError, match="closed form"):
        bandit.chances(np.ones((1, 3)))


def test_ucb_by_hand():
    bandit = UCB().start(1, 3, 0)
    contexts = np.empty((1, 0))
    for arm, reward in ((0, 1.0), (0, 0.0), (1, 1.0)):
        bandit.update(contexts, np.array([arm]), np.array([reward]))
    bonus = np.sqrt(2 * np.log(3) / np.array([2, 1]))
    assert bandit.scores(contexts, None)[0] == pytest.approx([0.5 + bonus[0], 1 + bonus[1], np.inf])


def test_thompson_draws_from_the_posterior():
    bandit = ThompsonSampling().start(20_000, 1, 0)
    arms, contexts = np.zeros(20_000, int), np.empty((20_000, 0))
    for reward in (1.0, 1.0, 0.0):
        bandit.update(contexts, arms, np.full(20_000, reward))
    scores = bandit.scores(contexts, np.random.default_rng(0))
    assert scores.mean() == pytest.approx(3 / 5, abs=0.005)  # Beta(3, 2)
    assert scores.var() == pytest.approx(6 / (25 * 6), abs=0.002)


def test_the_regression_is_its_closed_form():
    bandit = LinUCB(ridge=2.0)
    contexts, arms, rewards = feed(bandit)
    for run in range(3):
        for arm in range(4):
            x = contexts[arms[:, run] == arm, run]
            gram = x.T @ x + 2.0 * np.eye(5)
            weights = np.linalg.solve(gram, x.T @ rewards[arms[:, run] == arm, run])
            assert bandit.weights_[run, arm] == pytest.approx(weights, abs=1e-10)
            assert bandit.inverse_[run, arm] == pytest.approx(np.linalg.inv(gram), abs=1e-10)


@pytest.mark.parametrize("kind", [LinUCB, LinearGreedy, LinearThompson])
def test_a_prior_is_what_is_expected_before_the_first_round(kind):
    """And afterwards the ridge regression that is drawn to it, not to 0."""
    bandit = kind(prior=0.8, ridge=3.0)
    asked = np.random.default_rng(1).normal(size=(2, 5))
    assert bandit.start(2, 4, 5).means(asked) == pytest.approx(np.full((2, 4), 0.8))
    contexts, arms, rewards = feed(bandit)
    chosen = arms[:, 1] == 2
    x, y = contexts[chosen, 1], rewards[chosen, 1]
    pulled = np.linalg.solve(x.T @ x + 3 * np.eye(5), x.T @ (y - 0.8))
    means = bandit.means(np.tile(asked[0], (3, 1)))
    assert means[1, 2] == pytest.approx(0.8 + asked[0] @ pulled)


@pytest.mark.parametrize("bandit", [EpsilonGreedy(epsilon=0, prior=1.0), LinearGreedy(prior=1.0)])
def test_optimists_try_everything_and_pessimists_the_first_that_is_liked(bandit):
    """Each arm is liked in every second round: whoever expects 0 stays with the first."""
    pessimist = type(bandit)(epsilon=0.0)
    tried = {}
    for name, policy in (("optimist", bandit), ("pessimist", pessimist)):
        policy.start(1, 5, 1)
        rng, context, arms = np.random.default_rng(0), np.ones((1, 1)), []
        for number in range(60):
            arm = policy.choose(context, rng)
            policy.update(context, arm, np.array([float(number % 2 == 0)]))
            arms.append(arm[0])
        tried[name] = len(set(arms))
    assert tried == {"optimist": 5, "pessimist": 1}


def test_a_prior_counts_as_one_pull():
    bandit = EpsilonGreedy(epsilon=0, prior=0.5).start(1, 2, 0)
    for reward in (1.0, 1.0, 0.0):
        bandit.update(np.empty((1, 0)), np.array([0]), np.array([reward]))
    assert bandit.scores(None, None)[0] == pytest.approx([2.5 / 4, 0.5])


@every_bandit
def test_runs_without_a_reward_learn_nothing(bandit):
    feed(bandit)
    before = {name: value.copy() for name, value in vars(bandit).items() if name.endswith("_")}
    contexts, runs = np.ones((2, 5)), np.array([2, 0])
    bandit.update(contexts, np.array([1, 3]), np.array([1.0, 1.0]), runs)
    for name, value in before.items():
        now = getattr(bandit, name)
        assert (now[1] == value[1]).all()
        assert (now[2, [0, 2, 3]] == value[2, [0, 2, 3]]).all()
    seen = "pulls_" if hasattr(bandit, "pulls_") else "inverse_"
    assert (getattr(bandit, seen)[2, 1] != before[seen][2, 1]).any()
    assert (getattr(bandit, seen)[0, 3] != before[seen][0, 3]).any()


def test_linucb_is_mabwisers():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own, about pandas
        from mabwiser.mab import MAB, LearningPolicy
    bandit = LinUCB(width=1.25, ridge=0.7)
    contexts, arms, rewards = feed(bandit, n_runs=1)
    peer = MAB(list(range(4)), LearningPolicy.LinUCB(alpha=1.25, l2_lambda=0.7))
    peer.fit(arms[:, 0], rewards[:, 0], contexts[:, 0])
    asked = np.random.default_rng(3).normal(size=(20, 5))
    for row, expected in zip(asked, peer.predict_expectations(asked), strict=True):
        scores = bandit.scores(row[None], None)[0]
        assert scores == pytest.approx([expected[arm] for arm in range(4)], abs=1e-12)


def test_linear_thompson_draws_scores_as_weights_would_give():
    bandit = LinearThompson(width=0.5)
    feed(bandit, n_runs=1)
    context = np.linspace(-1, 1, 5)
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_normal(bandit.weights_[0, 2], 0.25 * bandit.inverse_[0, 2], 50_000)
    scores = np.array([bandit.scores(context[None], rng)[0, 2] for _ in range(5_000)])
    assert scores.mean() == pytest.approx((drawn @ context).mean(), abs=0.02)
    assert scores.std() == pytest.approx((drawn @ context).std(), rel=0.05)


@pytest.fixture(scope="module")
def users():
    """Users of two kinds who like different arms."""
    rng = np.random.default_rng(0)
    contexts = np.concatenate([np.ones((400, 1)), rng.normal(size=(400, 2))], axis=1)
    weights = np.array([[0.0, 2.0, 0.0], [0.0, -2.0, 0.0], [0.3, 0.0, 0.0]])
    chances = 1 / (1 + np.exp(-contexts @ weights.T))
    return SimulatedUsers(contexts, chances, np.arange(3))


def test_who_looks_at_the_context_regrets_less(users):
    regret = {
        type(bandit).__name__: play(bandit, users, n_rounds=1_500, n_runs=10).regret
        for bandit in ALL
    }
    final = {name: curve[:, -1].mean() for name, curve in regret.items()}
    blind = min(final[name] for name in ("EpsilonGreedy", "UCB", "ThompsonSampling"))
    assert max(final[n] for n in ("LinUCB", "LinearGreedy", "LinearThompson")) < 0.6 * blind
    assert blind < final["RandomArms"]
    # The regret of learning flattens: the last third adds less than the first.
    curve = regret["LinUCB"].mean(axis=0)
    assert curve[-1] - curve[len(curve) * 2 // 3] < 0.6 * curve[len(curve) // 3]


def test_random_arms_regret_what_they_must(users):
    played = play(RandomArms(), users, n_rounds=2_000, n_runs=10)
    gap = users.like_chances.max(axis=1) - users.like_chances.mean(axis=1)
    assert played.regret[:, -1].mean() == pytest.approx(2_000 * gap.mean(), rel=0.03)
    assert played.likes[:, -1].mean() == pytest.approx(2_000 * users.like_chances.mean(), rel=0.03)
    assert played.rounds[-1] == 2_000
    assert played.regret.shape == played.likes.shape == (10, 50)


def test_curves_follow_the_seed(users):
    first, again, other = (
        play(LinearThompson(), users, n_rounds=50, n_runs=2, seed=seed).regret for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()
