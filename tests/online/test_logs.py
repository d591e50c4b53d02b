"""Learning from logs: replay is as good as playing, and impressions become a log again."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.evaluation.off_policy import Logged
from recsys_lib.online import (
    EpsilonGreedy,
    LinearGreedy,
    LinUCB,
    RandomArms,
    SimulatedUsers,
    logged_impressions,
    play,
    replayed,
)
from recsys_lib.serving.service import ImpressionLog, read_impressions
from recsys_lib.serving.service.impressions import impression

ARMS = 5


@pytest.fixture(scope="module")
def users():
    rng = np.random.default_rng(0)
    contexts = np.concatenate([np.ones((300, 1)), rng.normal(size=(300, 2))], axis=1)
    chances = 1 / (1 + np.exp(-contexts @ rng.normal(size=(3, ARMS))))
    return SimulatedUsers(contexts, chances, np.arange(10, 10 + ARMS), np.arange(300))


def a_log(users, chances, n, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(users.contexts), size=n)
    return rows, users.log(chances, rows, rng)


@pytest.mark.parametrize(
    "bandit", [RandomArms(), EpsilonGreedy(), LinUCB(), LinearGreedy(prior=1.0)]
)
def test_replay_of_a_uniform_log_is_as_good_as_playing(users, bandit):
    uniform = np.full((300, ARMS), 1 / ARMS)
    rows, logged = a_log(users, uniform, 6_000)
    likes, rounds = replayed(bandit, users.contexts[rows], logged, ARMS, n_runs=20)
    assert rounds.mean() == pytest.approx(6_000 / ARMS, rel=0.03)
    online = play(bandit, users, n_rounds=int(rounds.mean()), n_runs=20, seed=5)
    gained = online.likes[:, -1].mean() / online.rounds[-1]
    assert (likes / rounds).mean() == pytest.approx(gained, abs=0.02)
    assert gained > 0.7 or isinstance(bandit, RandomArms | EpsilonGreedy)


def test_replay_of_a_log_that_was_not_uniform_is_wrong(users):
    """It over-counts the users to whom the log showed what they like."""
    tasteful = users.like_chances**4 / (users.like_chances**4).sum(axis=1, keepdims=True)
    rows, logged = a_log(users, tasteful, 6_000)
    likes, rounds = replayed(RandomArms(), users.contexts[rows], logged, ARMS, n_runs=10)
    assert (likes / rounds).mean() > users.like_chances.mean() + 0.1


def test_replay_sees_only_what_agrees():
    """A log of one arm: another arm is chosen until it never is again, and nothing is learned."""
    logged = Logged(np.zeros(50, int), np.zeros(50), np.full(50, 0.5))
    bandit = EpsilonGreedy(epsilon=0, prior=0.5)
    likes, rounds = replayed(bandit, np.ones((50, 1)), logged, 2, n_runs=8)
    # The first agreement disappoints; arm 1 is then the better one, and is not in the log.
    assert rounds.tolist() == [1] * 8
    assert likes.tolist() == [0] * 8
    assert bandit.pulls_[:, 0].tolist() == [1] * 8


def test_replay_needs_a_context_an_event():
    logged = Logged(np.zeros(3, int), np.zeros(3), np.full(3, 0.5))
    with pytest.raises(RecsysError, match="3 events and 2 contexts"):
        replayed(RandomArms(), np.ones((2, 1)), logged, 2)


def shown_by_a_service(folder, lists):
    """Write answers as the service does: (at, user, [(item, propensity), ...])."""
    log = ImpressionLog(folder)
    for number, (at, user, items) in enumerate(lists):
        places = [
            {"item_id": item, "channel": "ease", "score": 1.0, "propensity": p} for item, p in items
        ]
        answer = {
            "request_id": str(number),
            "user_id": user,
            "items": places,
            "level": "full",
            "source": "computed",
            "ranker": "linear",
            "versions": {"model": "1", "features": "1"},
        }
        log.add(impression(answer) | {"at": at})
    log.close()
    return read_impressions(folder)


def test_a_like_is_the_reward_of_the_last_impression_before_it(tmp_path):
    impressions = shown_by_a_service(
        tmp_path,
        [
            (100.5, "7", [("11", 0.25), ("50", 1.0)]),
            (200.5, "7", [("12", 0.75), ("50", 1.0)]),
            (300.5, "7", [("11", 0.25), ("50", 1.0)]),
            (400.5, "8", [("11", 0.25), ("50", 1.0)]),
            (500.5, "7", [("11", 0.25), ("50", 1.0)]),
            (600.5, "7", [("99", 0.5), ("50", 1.0)]),  # none of the arms
        ],
    )
    likes = pd.DataFrame(
        [(7, 11, 300), (7, 12, 150), (8, 12, 450), (7, 99, 650)],
        columns=["user_id", "item_id", "timestamp"],
    )
    logged, who = logged_impressions(impressions, likes, np.array([11, 12]))
    assert logged.actions.tolist() == [0, 1, 0, 0, 0]
    # 11 within the second of its second showing; 12 was liked before it was shown, and by another.
    assert logged.rewards.tolist() == [0, 0, 1, 0, 0]
    assert logged.propensities.tolist() == [0.25, 0.75, 0.25, 0.25, 0.25]
    assert who.tolist() == ["7", "7", "7", "8", "7"]
    shuffled = impressions.sample(frac=1, random_state=0)
    assert logged_impressions(shuffled, likes, np.array([11, 12]))[0].rewards.sum() == 1


def test_lists_that_were_not_drawn_are_refused(tmp_path):
    impressions = shown_by_a_service(tmp_path, [(100.5, "7", [("11", 0.25), ("50", 1.0)])])
    likes = pd.DataFrame({"user_id": [7], "item_id": [50], "timestamp": [101]})
    with pytest.raises(DataError, match=r"1 impressions has propensity 1.*draw place 2"):
        logged_impressions(impressions, likes, np.array([50]), position=2)
    with pytest.raises(DataError, match="No impression shows one of the 1 items at 1"):
        logged_impressions(impressions, likes, np.array([50]))
