"""What every ranker owes the cascade."""

import numpy as np
import pytest

from recsys_lib import files
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.rankers import (
    Candidates,
    ModelRanker,
    NetworkRanker,
    Ranker,
    RecallOrder,
    Remembering,
    UnknownUser,
    UserFeatureTable,
    load_ranker,
)
from recsys_lib.stores import ItemFeatureTable

READ_FEATURES = ("network", "model")


@pytest.fixture(params=["network", "model", "recall_order"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def ranker(kind, model, item_frame, users) -> Ranker:
    parts = model, ItemFeatureTable(item_frame), UserFeatureTable(users)
    made = {"network": NetworkRanker, "model": ModelRanker}
    return made[kind](*parts) if kind in made else RecallOrder()


@pytest.fixture
def candidates(item_frame) -> Candidates:
    item_ids = item_frame["item_id"].to_numpy(np.int64)[:9]
    return Candidates(20, item_ids, np.linspace(3, -1, 9, dtype=np.float32), ["ease"] * 9)


def part(candidates: Candidates, rows) -> Candidates:
    names = [candidates.channels[row] for row in rows]
    chosen = candidates.item_ids[rows], candidates.scores[rows]
    return Candidates(candidates.user_id, *chosen, names)


def test_one_score_a_candidate(ranker, candidates):
    scores = ranker.score(candidates)
    assert scores.shape == (9,)
    assert np.isfinite(scores).all()
    if ranker.gives_probabilities:
        assert ((scores >= 0) & (scores <= 1)).all()


def test_a_score_does_not_depend_on_the_company(ranker, candidates):
    whole = ranker.score(candidates)
    rows = np.array([7, 2, 5])
    np.testing.assert_allclose(ranker.score(part(candidates, rows)), whole[rows], atol=1e-6)


def test_a_round_trip_changes_nothing(ranker, candidates, tmp_path):
    ranker.save(tmp_path / "ranker")
    loaded = load_ranker(tmp_path / "ranker")
    assert type(loaded) is type(ranker)
    assert loaded.gives_probabilities == ranker.gives_probabilities
    np.testing.assert_array_equal(loaded.score(candidates), ranker.score(candidates))


def test_an_unknown_user_is_named_where_features_are_needed(kind, ranker, candidates):
    stranger = Candidates(-5, candidates.item_ids, candidates.scores, candidates.channels)
    if kind in READ_FEATURES:
        with pytest.raises(UnknownUser, match="no features of user -5"):
            ranker.score(stranger)
    else:
        assert len(ranker.score(stranger)) == 9


def test_the_model_ranker_equals_the_network_in_numpy(model, item_frame, users, candidates):
    parts = model, ItemFeatureTable(item_frame), UserFeatureTable(users)
    theirs, ours = ModelRanker(*parts).score(candidates), NetworkRanker(*parts).score(candidates)
    np.testing.assert_allclose(theirs, ours, atol=1e-5)


def test_a_model_reads_what_recall_said(item_frame, users, candidates):
    class FromRecall:
        def predict(self, frame):
            assert frame["channel"].eq("ease").all()
            return frame["recall_score"] - frame["recall_rank"] + 0 * frame["user_rating_mean"]

    parts = ItemFeatureTable(item_frame), UserFeatureTable(users)
    ranker = ModelRanker(FromRecall(), *parts, gives_probabilities=False)
    np.testing.assert_allclose(ranker.score(candidates), candidates.scores - np.arange(1, 10))
    with pytest.raises(RecsysError, match="FromRecall has no form on disk"):
        ranker.save("anywhere")


def test_boosted_trees_rank_as_any_model_does(item_frame, users, pairs, candidates):
    from sklearn.ensemble import HistGradientBoostingRegressor

    columns = ["user_rating_mean", "release_year", "item_rating_count"]
    target = pairs["item_rating_count"].to_numpy(float)

    class Trees:
        trees = HistGradientBoostingRegressor(max_iter=20)

        def predict(self, frame):
            return self.trees.predict(frame[columns].astype(float))

    Trees.trees.fit(pairs[columns].astype(float), target)
    parts = ItemFeatureTable(item_frame), UserFeatureTable(users)
    scores = ModelRanker(Trees(), *parts, gives_probabilities=False).score(candidates)
    counts = item_frame["item_rating_count"].to_numpy()[:9]
    assert np.corrcoef(scores, counts)[0, 1] > 0.9


def test_what_is_remembered_is_asked_once(candidates):
    class Counting(RecallOrder):
        asked = 0

        def score(self, candidates):
            self.asked += 1
            return candidates.scores * 2

    counting = Counting()
    remembering = Remembering(counting)
    rows = np.arange(5)
    for some in (candidates, part(candidates, rows), candidates):
        np.testing.assert_array_equal(remembering.score(some), some.scores * 2)
    assert counting.asked == 2


def test_a_user_table_reads_as_the_store_does(users, store):
    table = UserFeatureTable(users)
    for user_id in users["user_id"]:
        assert table.read(user_id) == store.read(user_id)
    assert table.read(-1) is None


def test_what_is_no_ranker_is_refused(tmp_path):
    with pytest.raises(DataError, match="No ranker can be read"):
        load_ranker(tmp_path)
    RecallOrder().save(tmp_path / "ranker")
    for change, message in (
        ({"format": 99}, "has the format 99"),
        ({"class": "RecallOrdre"}, "'RecallOrdre'.* Did you mean 'RecallOrder'"),
    ):
        described = files.read_json(tmp_path / "ranker" / "ranker.json")
        files.write_json(tmp_path / "ranker" / "ranker.json", described | change)
        with pytest.raises(DataError, match=message):
            load_ranker(tmp_path / "ranker")
        files.write_json(tmp_path / "ranker" / "ranker.json", described)
