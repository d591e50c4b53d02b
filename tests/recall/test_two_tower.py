"""The two-tower model finds planted groups, and its correction does what the paper says."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.recall import TwoTower
from recsys_lib.recall.channels.two_tower import recent_likes


@pytest.fixture(scope="module")
def trained(interactions) -> TwoTower:
    return TwoTower(embedding_dim=8, epochs=30, batch_size=64).fit(interactions)


def test_recent_likes_by_hand():
    user, item = np.array([0, 0, 0, 2]), np.array([7, 8, 9, 5])
    before, latest = recent_likes(user, item, 3, 2)
    # Item index + 1, latest first; 0 pads. A like never sees itself or another user's.
    assert before.tolist() == [[0, 0], [8, 0], [9, 8], [0, 0]]
    assert latest.tolist() == [[10, 9], [0, 0], [6, 0]]


def test_it_finds_the_planted_groups(trained, interactions):
    users = interactions["user_id"].unique()
    item_ids = trained.lists(users, 5).item_ids
    listed = item_ids >= 0
    same = (item_ids - 5) // 7 % 3 == ((users - 1) // 3 % 3)[:, None]
    # A third would be chance; groups run out of unseen items for some users.
    assert same[listed].mean() > 0.6
    assert trained.losses_[-1] < trained.losses_[0]


def test_vectors_have_length_one_or_zero(trained):
    for vectors in (trained.users_, trained.item_vectors_):
        length = np.linalg.norm(vectors, axis=1)
        assert np.all(np.isclose(length, 1, atol=1e-5) | (length == 0))


def test_without_the_correction_popular_items_are_pushed_away(trained, interactions):
    """Yi et al.: a frequent item is a negative more often; taking log q off makes up for it."""
    users = interactions["user_id"].unique()
    biased = TwoTower(embedding_dim=8, epochs=30, batch_size=64, correct_sampling=False)
    biased.fit(interactions)
    counts = np.bincount(trained.matrix_.ratings.indices, minlength=trained.matrix_.n_items)

    def popularity(model) -> float:
        item_ids = model.lists(users, 5).item_ids
        return counts[model.matrix_.items_of(item_ids[item_ids >= 0])].mean()

    assert popularity(trained) > popularity(biased)


def test_the_loss_is_the_corrected_softmax_of_the_paper(interactions):
    """One step of one epoch on the whole data as one batch, against numpy."""
    model = TwoTower(embedding_dim=4, epochs=1, batch_size=10**6, learning_rate=1e-12)
    model.fit(interactions)  # the step is too small to move the vectors
    from recsys_lib.data.likes import likes_in_time

    likes = likes_in_time(interactions)
    user = model.matrix_.users_of(likes["user_id"])
    item = model.matrix_.items_of(likes["item_id"])
    before, _ = recent_likes(user, item, model.matrix_.n_users, model.n_recent)
    users, _ = model._towers(model.matrix_.n_users, model.matrix_.n_items)  # same seed
    near = users.predict_on_batch([user, before]) @ model.item_vectors_[item].T
    share = np.bincount(item) / len(item)
    logits = near / model.temperature - np.log(share)[item]
    logits[(item[:, None] == item) & ~np.eye(len(item), dtype=bool)] = -np.inf
    log_p = np.diag(logits) - np.log(np.exp(logits).sum(axis=1))
    assert model.losses_[0] == pytest.approx(-log_p.mean(), rel=1e-4)


def test_a_wrong_setting_is_named(interactions):
    with pytest.raises(RecsysError, match="temperature must be positive, not 0"):
        TwoTower(temperature=0).fit(interactions)
