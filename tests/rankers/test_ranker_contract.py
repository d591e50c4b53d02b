"""What every ranker owes the cascade."""

import socket

import numpy as np
import pandas as pd
import pytest

from recsys_lib import files
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.model_server import ModelConfig, ModelServer, ServerConfig
from recsys_lib.rankers import (
    Candidates,
    FtrlLogisticRegression,
    LightRanker,
    ModelRanker,
    NetworkRanker,
    PmmlModel,
    PmmlRanker,
    Ranker,
    RecallOrder,
    Remembering,
    RemoteModel,
    RemoteRanker,
    ScoreTable,
    ServerUnavailable,
    ShallowNetwork,
    StoredRanker,
    UnknownUser,
    UserFeatureTable,
    load_ranker,
    score_samples,
)
from recsys_lib.ranking import NUMBERS, BoostedTrees, RankingConfig, train_trees
from recsys_lib.ranking.export import export_version
from recsys_lib.ranking.pmml import linear_pipeline, write_pmml
from recsys_lib.ranking.raw_features import RawColumn
from recsys_lib.seeding import generator
from recsys_lib.stores import ItemFeatureTable

READ_FEATURES = ("network", "model", "trees", "pmml", "rest", "grpc")
KINDS = (*READ_FEATURES, "recall_order", "stored", "light_linear", "light_deep")


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def ranker_of(model, trees, item_frame, users, pairs, served, pmml) -> dict[str, Ranker]:
    features = ItemFeatureTable(item_frame), UserFeatureTable(users)
    scores = pairs[["user_id", "item_id"]].assign(score=score_samples(model, pairs))
    return {
        "network": NetworkRanker(model, *features),
        "model": ModelRanker(model, *features),
        "trees": ModelRanker(trees, *features),
        "pmml": PmmlRanker(PmmlModel(pmml), *features),
        "rest": RemoteRanker(RemoteModel(served.rest_url, "ranker", timeout_s=20), *features),
        "grpc": RemoteRanker(
            RemoteModel(served.grpc_address, "ranker", protocol="grpc", timeout_s=20), *features
        ),
        "recall_order": RecallOrder(),
        "stored": StoredRanker(ScoreTable(scores)),
        "light_linear": light(FtrlLogisticRegression(), users, item_frame),
        "light_deep": light(ShallowNetwork(hidden=3), users, item_frame),
    }


@pytest.fixture(scope="session")
def trees(pairs) -> BoostedTrees:
    samples = pairs.assign(label=pairs["item_id"] % 2)
    return train_trees(samples, config=RankingConfig(history=()), most_trees=20)


@pytest.fixture(scope="session")
def served(model, pairs, tmp_path_factory):
    """A model server with the small network."""
    base = tmp_path_factory.mktemp("served")
    export_version(model, base, pairs.head(9))
    with ModelServer([ModelConfig("ranker", base)], ServerConfig()) as server:
        yield server


@pytest.fixture(scope="session")
def pmml(pairs, tmp_path_factory):
    pipeline = linear_pipeline(["user_genre_1", "item_genre_1"], ["release_year"], NUMBERS[1:4])
    path = tmp_path_factory.mktemp("pmml") / "model.pmml"
    frame = pairs.astype({"release_year": float})
    write_pmml(pipeline.fit(frame, frame["item_id"] % 2), path)
    return path


def light(model, users, item_frame) -> LightRanker:
    rng = generator(6, "stored vectors")
    of_users = EmbeddingTable(users["user_id"], rng.normal(size=(len(users), 4)))
    of_items = EmbeddingTable(item_frame["item_id"], rng.normal(size=(len(item_frame), 4)))
    ranker = LightRanker(model, of_users, of_items)
    for user_id in users["user_id"]:
        item_ids = item_frame["item_id"].to_numpy()
        ranker.learn(user_id, item_ids, (item_ids % 3 == 0).astype(float))
    return ranker


@pytest.fixture
def ranker(kind, ranker_of) -> Ranker:
    return ranker_of[kind]


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
    elif kind == "recall_order":
        assert len(ranker.score(stranger)) == 9
    else:
        with pytest.raises(UnknownUser, match="user -5"):
            ranker.score(stranger)


@pytest.mark.parametrize("far", ["rest", "grpc", "stored"])
def test_what_is_served_elsewhere_equals_the_network_here(ranker_of, candidates, far):
    near = ranker_of["network"].score(candidates)
    assert np.ptp(near) > 0.01
    assert np.abs(ranker_of[far].score(candidates) - near).max() < 1e-6


def test_no_stored_score_gets_the_score_of_missing_ones(candidates):
    table = pd.DataFrame(
        {"user_id": 20, "item_id": candidates.item_ids[[5, 2]], "score": [0.7, 0.4]}
    )
    scores = StoredRanker(ScoreTable(table), missing=-1).score(candidates)
    assert scores.tolist() == pytest.approx([-1, -1, 0.4, -1, -1, 0.7, -1, -1, -1])
    with pytest.raises(DataError, match="more than one stored score"):
        ScoreTable(pd.concat([table, table]))


def test_a_light_model_learns_between_two_requests(users, item_frame, candidates):
    ranker = light(FtrlLogisticRegression(), users, item_frame)
    before = ranker.score(candidates)
    liked = candidates.item_ids[:1]
    ranker.learn(20, np.repeat(liked, 20), np.ones(20))
    assert ranker.score(candidates)[0] > before[0] + 0.03
    with pytest.raises(UnknownUser, match="no vector of user -5"):
        ranker.learn(-5, liked, np.ones(1))


def test_vectors_of_two_models_do_not_go_together(users, item_frame):
    one = EmbeddingTable(users["user_id"], np.ones((len(users), 3)))
    other = EmbeddingTable(item_frame["item_id"], np.ones((len(item_frame), 4)))
    with pytest.raises(DataError, match="have 3 numbers, the items' 4"):
        LightRanker(FtrlLogisticRegression(), one, other)


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_remote_model_says_what_went_wrong(served, pairs, protocol):
    address = served.rest_url if protocol == "rest" else served.grpc_address
    known = RemoteModel(address, "ranker", protocol=protocol, timeout_s=20)
    assert known.columns["item_id"] == RawColumn("int64")
    assert known.predict(pairs[:0]).shape == (0,)
    with pytest.raises(DataError, match="lack the column item_id"):
        known.predict(pairs.drop(columns="item_id"))
    with pytest.raises(ServerUnavailable, match="Servable not found"):
        RemoteModel(address, "other", protocol=protocol, timeout_s=20).predict(pairs[:2])
    with pytest.raises(DataError, match="version label: no"):
        RemoteModel(address, "ranker", protocol=protocol, label="no", timeout_s=20).predict(pairs)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes a connection, says nothing
        silent_at = f"127.0.0.1:{silent.getsockname()[1]}"
        where = f"http://{silent_at}" if protocol == "rest" else silent_at
        late = RemoteModel(where, "ranker", protocol=protocol, timeout_s=0.2)
        late.columns = known.columns
        with pytest.raises(ServerUnavailable):
            late.predict(pairs)
    nobody = "http://127.0.0.1:9" if protocol == "rest" else "127.0.0.1:9"
    with pytest.raises(ServerUnavailable):
        RemoteModel(nobody, "ranker", protocol=protocol).predict(pairs)
    with pytest.raises(RecsysError, match="rest or grpc"):
        RemoteModel(address, "ranker", protocol="carrier pigeon")


def test_the_model_ranker_equals_the_network_in_numpy(model, item_frame, users, candidates):
    parts = model, ItemFeatureTable(item_frame), UserFeatureTable(users)
    theirs, ours = ModelRanker(*parts).score(candidates), NetworkRanker(*parts).score(candidates)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-6)


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
