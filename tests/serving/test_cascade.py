"""Recall, features, ranking: each stage does its part, and the blend is what it says."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data import Interactions
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.rankers import (
    NetworkRanker,
    Ranker,
    RecallOrder,
    UnknownUser,
    UserFeatureTable,
)
from recsys_lib.recall import Ease, ItemKNN, Merged, Popular, RandomRecaller, load_recaller
from recsys_lib.serving import Cascade, blend


class ByTable(Ranker):
    """Gives each item the score it is asked to give, whoever the user is."""

    def __init__(self, scores: dict[int, float]):
        self.scores = scores

    def score(self, candidates):
        return np.array([self.scores.get(int(item), 0.0) for item in candidates.item_ids])


def test_blend_by_hand():
    # Weight 1/2: half the log-odds less half the log of the place.
    assert blend(np.array([0.5, 0.8]), 0.5) == pytest.approx(
        [0.0, 0.5 * np.log(4) - 0.5 * np.log(2)]
    )
    # What is no probability stands for log-odds itself.
    assert blend(np.array([3.0, -1.0]), 0.5, probabilities=False) == pytest.approx(
        [1.5, -0.5 - 0.5 * np.log(2)]
    )


def test_blend_at_its_ends():
    probability = np.array([0.2, 0.9, 0.5, 0.0, 1.0])
    assert np.argsort(-blend(probability, 0)).tolist() == [0, 1, 2, 3, 4]
    assert np.argsort(-blend(probability, 1)).tolist() == [4, 1, 2, 0, 3]
    assert np.isfinite(blend(probability, 0.5)).all()


def test_the_list_is_the_candidates_in_the_networks_order(cascade):
    recalled = cascade.recaller.lists([10], 12).item_ids[0]
    lines = cascade.explain(10, k=12)
    assert {line.item_id for line in lines} == set(recalled) - {-1}
    chances = [line.like_probability for line in lines]
    assert chances == sorted(chances, reverse=True)
    for line in lines:
        assert recalled[line.recall_place - 1] == line.item_id


def test_a_table_and_its_explanation_agree(cascade):
    table = cascade.recommend([20, 10], k=4)
    assert table["user_id"].tolist() == [20] * 4 + [10] * 4
    assert table["rank"].tolist() == [1, 2, 3, 4] * 2
    lines = cascade.explain(20, k=4) + cascade.explain(10, k=4)
    assert table["item_id"].tolist() == [line.item_id for line in lines]
    assert table["channel"].tolist() == [line.channel for line in lines]
    assert table["score"].tolist() == pytest.approx([line.score for line in lines])


def test_without_a_say_of_the_network_recalls_order_stays(cascade):
    cascade.ranking_weight = 0.0
    recalled = cascade.recaller.lists([10], 5).item_ids[0]
    assert [line.item_id for line in cascade.explain(10, k=5)] == recalled.tolist()


def test_recall_order_keeps_recalls_order_and_scores(interactions):
    recaller = ItemKNN(n_neighbours=20).fit(interactions)
    users = interactions["user_id"].unique()
    got, want = (each.lists(users, 6) for each in (Cascade(recaller, RecallOrder()), recaller))
    np.testing.assert_array_equal(got.item_ids, want.item_ids)
    np.testing.assert_array_equal(got.scores, want.scores)
    (line,) = Cascade(recaller, RecallOrder()).explain(10, k=1)
    assert line.like_probability is None


def test_seen_and_excluded_items_are_not_recommended(cascade, interactions):
    seen = set(interactions.loc[interactions["user_id"] == 10, "item_id"])
    assert seen == set(cascade.seen_items(10))
    first = cascade.explain(10, k=3)
    exclude = pd.DataFrame({"user_id": 10, "item_id": [line.item_id for line in first]})
    second = {line.item_id for line in cascade.explain(10, k=20, exclude=exclude)}
    assert second
    assert not second & (seen | set(exclude["item_id"]))


def test_the_channel_is_that_of_recall(cascade, interactions):
    merged = Merged({"popular": Popular(), "random": RandomRecaller()}).fit(interactions)
    lines = Cascade(merged, cascade.ranker, candidates=12).explain(10)
    assert {line.channel for line in lines} == {"popular", "random"}
    assert {line.channel for line in cascade.explain(10)} == {"popular"}


def test_fit_fits_the_recaller(cascade, interactions):
    fresh = Cascade(Popular(), cascade.ranker, candidates=12)
    with pytest.raises(RecsysError, match="only after fit"):
        fresh.recommend(10)
    pd.testing.assert_frame_equal(fresh.fit(interactions).recommend(10), cascade.recommend(10))


def test_diversity_by_hand(interactions):
    """Of five candidates the first three are of one kind; the fourth is next best, of another.

    With half of the weight on variety, 2 and 3 (relevance .9 and .8, cosine 1 to the first) are
    worth -.05 and -.1, while 4 (.6, cosine 0) is worth .3 and 5 (0, cosine 0) is worth 0. After 4
    the highest is 5, then 2, then 3.
    """
    one, two, three, four, five = ItemKNN().fit(interactions).lists([10], 5).item_ids[0]
    chance = dict(zip((one, two, three, four, five), (1.0, 0.9, 0.8, 0.6, 0.0), strict=True))

    class Plain(ByTable):
        gives_probabilities = False

    kinds = EmbeddingTable([one, two, three, four], [[1, 0], [1, 0], [1, 0], [0, 1]])
    parts = ItemKNN().fit(interactions), Plain(chance)
    varied = Cascade(*parts, candidates=5, diversity=0.5, item_vectors=kinds).explain(10, k=5)
    assert [line.item_id for line in varied] == [one, four, five, two, three]
    plain = Cascade(*parts, candidates=5, item_vectors=kinds).explain(10, k=5)
    assert [line.item_id for line in plain] == [one, two, three, four, five]


def test_diversity_needs_vectors(cascade):
    with pytest.raises(RecsysError, match="needs item_vectors"):
        Cascade(cascade.recaller, cascade.ranker, diversity=0.5)


def test_of_unknown_users_the_reason_is_given(cascade, users):
    with pytest.raises(UnknownUser, match="Nothing is recalled for user 11"):
        cascade.explain(11)
    # Known to recall, not to the store.
    cascade.ranker.users.publish(users[users["user_id"] != 20], version="2")
    with pytest.raises(UnknownUser, match="There are no features of user 20"):
        cascade.explain(20)
    assert cascade.recommend([20, 11, 10], 3)["user_id"].tolist() == [10] * 3


def test_the_ranker_is_given_the_history_of_the_request(interactions):
    given = {}

    class Spy(RecallOrder):
        def score(self, candidates):
            given[candidates.user_id] = candidates.history
            return candidates.scores

    cascade = Cascade(ItemKNN(), Spy()).fit(interactions)
    cascade.recommend([10, 20, 777], histories={777: [3, 5, 4], 10: [1]})
    assert given[20] is None
    assert given[777].events["item_id"].tolist() == [3, 5, 4]
    assert given[10].events["item_id"].tolist() == [1]


def test_a_saved_cascade_carries_its_features(cascade, users, item_frame, tmp_path):
    inside = NetworkRanker(cascade.ranker.model, cascade.ranker.items, UserFeatureTable(users))
    vectors = EmbeddingTable(item_frame["item_id"], np.eye(len(item_frame)))
    settings = {"candidates": 15, "ranking_weight": 0.3, "diversity": 0.2}
    whole = Cascade(cascade.recaller, inside, item_vectors=vectors, **settings)
    whole.save(tmp_path / "cascade")
    loaded = load_recaller(tmp_path / "cascade")
    some = users["user_id"]
    pd.testing.assert_frame_equal(loaded.recommend(some), whole.recommend(some))
    assert loaded.explain(10) == whole.explain(10)


def test_a_cascade_over_an_outer_store_asks_for_it_when_loaded(cascade, users, tmp_path):
    cascade.save(tmp_path / "cascade")
    with pytest.raises(DataError, match="give what reads them, users=store"):
        load_recaller(tmp_path / "cascade")
    loaded = load_recaller(tmp_path / "cascade", users=cascade.ranker.users)
    some = users["user_id"]
    pd.testing.assert_frame_equal(loaded.recommend(some), cascade.recommend(some))


def test_ids_of_a_person_in_a_cascade(interactions):
    """Text outside; the ranker reads the whole numbers inside."""
    text = interactions.assign(
        user_id="u" + interactions["user_id"].astype(str),
        item_id="i" + interactions["item_id"].astype(str),
    )
    table = Interactions.from_frame(text)
    favourite = int(table.item_codes(["i30"])[0])

    class Needs(ByTable):
        def score(self, candidates):
            if candidates.user_id == table.user_codes(["u20"])[0]:
                raise UnknownUser("There are no features of", candidates.user_id)
            return super().score(candidates)

    cascade = Cascade(Ease(regularization=3), Needs({favourite: 0.9})).fit(table)
    unseen = text[text["item_id"] == "i30"]["user_id"]
    asked = next(u for u in text["user_id"] if u not in set(unseen) and u != "u20")
    assert cascade.recommend([asked], 1)["item_id"].tolist() == ["i30"]
    assert cascade.explain(asked, 1)[0].item_id == "i30"
    with pytest.raises(UnknownUser, match="no features of user u20"):
        cascade.explain("u20")


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_0_to_1_is_refused(cascade, weight):
    with pytest.raises(RecsysError, match="ranking_weight"):
        Cascade(cascade.recaller, cascade.ranker, ranking_weight=weight)
