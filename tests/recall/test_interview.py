"""Interviews: questions by hand, and a tree that finds a planted taste in few of them."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from recsys_lib.errors import RecsysError
from recsys_lib.recall import Interview
from recsys_lib.recall.cold_start import NewUserTrial, popularity_times_entropy
from recsys_lib.seeding import generator


def planted(n_users: int = 200) -> pd.DataFrame:
    """Film 1 divides the users: who likes it likes films 11 to 20, who does not 21 to 30.

    Film 2 is rated as often, with as varied stars, and says nothing. A third knows neither.
    """
    rng = generator(3, "interview")
    rows = []
    for user in range(n_users):
        side, knows = user % 2, user % 3 > 0
        if knows:
            rows.append((user, 1, 5 if side else 1))
            rows.append((user, 2, 5 if rng.random() < 0.5 else 1))
        first = 11 if side else 21
        rows += [(user, item, 5) for item in range(first, first + 10) if rng.random() < 0.4]
    return pd.DataFrame(rows, columns=["user_id", "item_id", "rating"]).assign(timestamp=0)


def test_popularity_times_entropy_by_hand():
    ratings = sparse.csr_matrix(
        np.array([[5, 1, 5, 0], [5, 5, 0, 0], [5, 1, 0, 0], [5, 5, 0, 0]], np.float32)
    )
    # All agree on the first; the second divides them evenly: one bit; one has seen the third.
    assert popularity_times_entropy(ratings) == pytest.approx([0, np.log(5), 0, 0])


@pytest.fixture(scope="module")
def tree():
    return Interview(depth=2, n_candidates=30, min_users=10, prior_users=5).fit(planted())


def test_the_tree_asks_what_divides(tree):
    assert tree.next_question({}) == 1


def test_a_list_after_each_answer(tree):
    liked = tree.recommend("x", 5, histories={"x": [1]})["item_id"]
    disliked = pd.DataFrame({"user_id": ["y"], "item_id": [1], "rating": [1.0]})
    refused = tree.recommend("y", 5, histories=disliked)["item_id"]
    assert set(liked) - {2} <= set(range(11, 21))
    assert set(refused) - {2} <= set(range(21, 31))


def test_the_dialogue_follows_the_answers_and_ends(tree):
    answers = {}
    while (asked := tree.next_question(answers)) is not None:
        assert asked not in answers
        answers[asked] = None
    assert 1 <= len(answers) <= 2
    assert tree.next_question({1: True}) != 1
    assert tree.shortened(1).next_question({1: True}) is None


def test_a_fixed_interview_asks_everybody_the_same():
    interview = Interview(depth=2, fixed=True, min_users=1).fit(planted())
    worth = popularity_times_entropy(interview.matrix_.ratings)
    expected = interview.matrix_.item_ids[np.argsort(-worth, kind="stable")[:2]].tolist()
    first = interview.next_question({})
    for answer in (True, False, None):
        assert [first, interview.next_question({first: answer})] == expected
    assert set(expected) == {1, 2}  # as popular, as divided


def test_questions_of_many_users_are_those_of_the_dialogue(tree):
    asked = tree.questions_of(tree.matrix_.ratings)
    items = tree.matrix_.item_ids
    for row in (0, 1, 2, 5):
        rated = tree.matrix_.ratings[[row]]
        answers = {}
        while (item := tree.next_question(answers)) is not None:
            stars = rated[0, tree.matrix_.items_of([item])[0]]
            answers[item] = None if not stars else bool(stars >= 3.5)
        columns = asked[row][asked[row] >= 0]
        assert list(answers) == items[columns].tolist()


def test_a_node_is_a_share_of_its_users_shrunk_to_the_node_above():
    rows = planted()
    model = Interview(depth=1, min_users=10, prior_users=7).fit(rows)
    likes = model.matrix_.ratings.toarray() >= 3.5
    everybody = likes.mean(axis=0)
    assert model.node_scores_[0] == pytest.approx(everybody, abs=1e-6)
    first = model.matrix_.items_of([1])[0]
    fans = likes[:, first]
    expected = (likes[fans].sum(axis=0) + 7 * everybody) / (fans.sum() + 7)
    child = model.children_[0, 0]
    assert model.node_scores_[child] == pytest.approx(expected, abs=1e-6)
    assert model.node_sizes_[model.children_[0]].sum() == model.matrix_.n_users


def test_no_questions_are_popularity():
    model = Interview(depth=0).fit(planted())
    assert model.next_question({}) is None
    assert len(model.questions_) == 1


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(RecsysError, match="min_users and n_candidates at least 1, not 2, 0"):
        Interview(depth=2, min_users=0).fit(planted())


def test_the_trial_sees_a_tree_that_helps():
    """A positive control: where one film divides all tastes, one question is worth a lot."""
    trial = NewUserTrial(planted(300), n_folds=3, seed=1)
    tree = Interview(depth=1, min_users=10, prior_users=5).fit(trial.train(0))
    before, _ = trial.interview(tree, tree, 0, 0)
    after, known = trial.interview(tree, tree, 0, 1)
    assert after.mean() > before.mean() + 0.02
    assert 0.2 < known < 0.5  # a third knows nothing, half of the rest is held back
