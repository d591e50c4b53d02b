"""Recall, features, ranking: each stage does its part, and the blend is what it says."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.recall import Merged, Popular, RandomRecaller
from recsys_lib.serving import Cascade, UnknownUser, blend


def test_blend_by_hand():
    # Weight 1/2: half the log-odds less half the log of the place.
    assert blend(np.array([0.5, 0.8]), 0.5) == pytest.approx(
        [0.0, 0.5 * np.log(4) - 0.5 * np.log(2)]
    )


def test_blend_at_its_ends():
    probability = np.array([0.2, 0.9, 0.5, 0.0, 1.0])
    assert np.argsort(-blend(probability, 0)).tolist() == [0, 1, 2, 3, 4]
    assert np.argsort(-blend(probability, 1)).tolist() == [4, 1, 2, 0, 3]
    assert np.isfinite(blend(probability, 0.5)).all()


def test_the_list_is_the_candidates_in_the_networks_order(cascade):
    recalled, _ = cascade.recaller.recommend([10], 12)
    lines = cascade.recommend(10, k=12)
    assert {line.item_id for line in lines} == set(recalled[0]) - {-1}
    chances = [line.like_probability for line in lines]
    assert chances == sorted(chances, reverse=True)
    for line in lines:
        assert recalled[0][line.recall_place - 1] == line.item_id


def test_without_a_say_of_the_network_recalls_order_stays(cascade):
    cascade.ranking_weight = 0.0
    recalled, _ = cascade.recaller.recommend([10], 5)
    assert [line.item_id for line in cascade.recommend(10, k=5)] == recalled[0].tolist()


def test_seen_and_excluded_items_are_not_recommended(cascade, interactions):
    seen = set(interactions.loc[interactions["user_id"] == 10, "item_id"])
    first = cascade.recommend(10, k=3)
    exclude = pd.DataFrame({"user_id": 10, "item_id": [line.item_id for line in first]})
    second = {line.item_id for line in cascade.recommend(10, k=20, exclude=exclude)}
    assert second
    assert not second & (seen | set(exclude["item_id"]))


def test_the_channel_is_told_where_recall_tells_it(cascade, interactions):
    merged = Merged({"popular": Popular(), "random": RandomRecaller()}).fit(interactions)
    told = Cascade(merged, cascade.users, cascade.scorer, candidates=12).recommend(10)
    assert {line.channel for line in told} <= {"popular", "random"}
    assert {line.channel for line in cascade.recommend(10)} == {""}


def test_diversity_changes_the_list_not_the_candidates(cascade):
    """Even items are all alike, odd ones like nothing: the second pick must be an odd one."""
    candidates = cascade.scored_candidates(10)
    ids = np.sort(candidates.item_ids)
    same = EmbeddingTable(ids[::2], np.ones((len(ids[::2]), 2)))
    plain = cascade.recommend(10, k=len(ids))
    cascade.item_vectors, cascade.diversity = same, 0.9
    varied = cascade.recommend(10, k=len(ids))
    assert {line.item_id for line in varied} == {line.item_id for line in plain}
    first, second = varied[0].item_id, varied[1].item_id
    assert first == plain[0].item_id
    assert not (first in same.item_ids and second in same.item_ids)


def test_diversity_needs_vectors(cascade):
    with pytest.raises(RecsysError, match="needs item_vectors"):
        Cascade(cascade.recaller, cascade.users, cascade.scorer, diversity=0.5)


def test_unknown_users_are_told(cascade, users, client):
    with pytest.raises(UnknownUser, match="no features"):
        cascade.recommend(-1)
    # Known to the store, not to recall.
    cascade.users.write(users.assign(user_id=users["user_id"] + 1), version="2")
    with pytest.raises(UnknownUser, match="Nothing is recalled"):
        cascade.recommend(11)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_0_to_1_is_refused(cascade, weight):
    with pytest.raises(RecsysError, match="ranking_weight"):
        Cascade(cascade.recaller, cascade.users, cascade.scorer, ranking_weight=weight)
