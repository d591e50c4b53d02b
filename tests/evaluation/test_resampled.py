"""The bootstrap of an AUC over users, against drawing rows for real and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import resampled_auc
from recsys_lib.seeding import generator


def random_rows(n=400, n_users=20):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, n)
    return labels, (labels + rng.normal(0, 2, n)).round(), rng.integers(0, n_users, n) * 7


def test_equals_repeating_the_rows_of_the_users_drawn():
    labels, scores, users = random_rows()  # rounded scores: many ties
    found = resampled_auc(labels, scores, users, n_resamples=30, seed=3)
    drawn = generator(3, "resampled_auc").multinomial(20, np.full(20, 1 / 20), size=30)
    for value, counts in zip(found, drawn, strict=True):
        rows = np.repeat(np.arange(len(labels)), counts[users // 7])
        assert value == pytest.approx(roc_auc_score(labels[rows], scores[rows]))


def test_the_same_users_are_drawn_for_every_model():
    labels, scores, users = random_rows()
    same = resampled_auc(labels, scores, users) - resampled_auc(labels, 3 * scores + 1, users)
    assert np.abs(same).max() < 1e-12


def test_what_has_no_auc():
    labels, scores, users = random_rows()
    with pytest.raises(RecsysError, match="both classes"):
        resampled_auc(np.ones_like(labels), scores, users)
    with pytest.raises(RecsysError, match="3 user ids for 400 labels"):
        resampled_auc(labels, scores, users[:3])
    # Each user has one class; a resample of one of them alone has no AUC.
    alone = resampled_auc([0, 1], [0.1, 0.9], [1, 2], n_resamples=20)
    assert set(alone[~np.isnan(alone)]) == {1.0}
    assert np.isnan(alone).any()
