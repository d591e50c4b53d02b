import numpy as np
import pytest
from sklearn import metrics

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import (
    auc,
    calibration_error,
    log_loss,
    mean_interval,
    per_user_auc,
    per_user_ndcg,
)


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_scikit_learn_with_ties(seed):
    rng = np.random.default_rng(seed)
    labels, scores = rng.random(500) < 0.3, rng.integers(1, 20, 500) / 20
    assert auc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
    assert log_loss(labels, scores) == pytest.approx(
        metrics.log_loss(labels, scores.clip(1e-7, 1 - 1e-7)), abs=1e-9
    )


def test_by_hand():
    assert auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 0.75
    assert auc([1, 0], [0.5, 0.5]) == 0.5
    assert log_loss([1, 0], [0.5, 0.5]) == pytest.approx(np.log(2))
    # User 7: perfect; user 8: reversed; user 9 has one class only and is left out.
    users, labels = [8, 7, 7, 8, 9], [1, 1, 0, 0, 1]
    assert per_user_auc(users, labels, [0.1, 0.9, 0.2, 0.6, 0.3]).tolist() == [1, 0]


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(RecsysError, match="2 likes, 0 dislikes"):
        auc([1, 1], [0.2, 0.3])
    with pytest.raises(RecsysError, match="1 of 2 scores"):
        auc([1, 0], [np.nan, 0.3])
    with pytest.raises(RecsysError, match="differ in shape"):
        log_loss([1, 0], [0.5])


def test_nobody_has_no_mean():
    nothing = mean_interval([])
    assert np.isnan(nothing).all()
    assert str(nothing) == "no value"


def test_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples = rng.exponential(1.0, size=(400, 100))
    intervals = [mean_interval(sample, n_resamples=400) for sample in samples]
    covered = np.mean([i.low <= 1.0 <= i.high for i in intervals])
    # 95 % nominal; the percentile bootstrap of 100 skewed values falls a little short.
    assert 0.90 < covered < 0.98
    assert mean_interval(samples[0]) == mean_interval(samples[0])


@pytest.mark.parametrize("seed", range(3))
def test_ndcg_within_users_equals_scikit_learn_with_ties(seed):
    rng = np.random.default_rng(seed)
    users, labels = rng.integers(0, 12, 300), rng.random(300) < 0.4
    scores = rng.integers(1, 9, 300) / 9
    rows = [users == u for u in np.unique(users)]
    by_hand = [
        metrics.ndcg_score([labels[r]], [scores[r]]) for r in rows if len(set(labels[r])) > 1
    ]
    assert per_user_ndcg(users, labels, scores) == pytest.approx(by_hand, abs=1e-12)


def test_users_of_one_class_have_no_order_to_judge():
    # User 8 has likes alone; user 7's like stands second: 1 / log2(3).
    found = per_user_ndcg([7, 8, 7], [1, 1, 0], [0.1, 0.5, 0.9])
    assert found == pytest.approx([1 / np.log2(3)])


def test_calibration_error_by_hand():
    # Two halves: .2 predicted and .5 seen, .8 predicted and 1 seen.
    assert calibration_error([0, 1, 1, 1], [0.2, 0.2, 0.8, 0.8], n_bins=2) == pytest.approx(0.25)
    assert calibration_error([0, 1], [0.0, 1.0]) == 0
