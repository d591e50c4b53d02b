"""A small service: a real Redis, a trained network, recall by popularity."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.rankers import NetworkRanker
from recsys_lib.ranking import (
    FeatureInputs,
    RankingConfig,
    RankingModel,
    TrainingConfig,
)
from recsys_lib.recall import Popular
from recsys_lib.seeding import generator
from recsys_lib.serving import Cascade
from recsys_lib.stores import ItemFeatureTable, RedisFeatureStore, RedisServer

N_USERS, N_ITEMS = 12, 30


@pytest.fixture(scope="session")
def redis_server():
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(redis_server):
    with redis_server.client() as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def users() -> pd.DataFrame:
    """Users as the feature pipeline gives them; the last has no value but its counts."""
    rng = generator(5, "serving users")
    frame = pd.DataFrame({"user_id": np.arange(1, N_USERS + 1) * 10})
    frame["user_liked_item_1"] = pd.array(rng.integers(1, N_ITEMS, N_USERS), dtype="Int64")
    frame["user_rating_count"] = rng.integers(0, 200, N_USERS).astype(np.int32)
    frame["user_rating_mean"] = (1 + 4 * rng.random(N_USERS)).astype(np.float32)
    frame["user_rating_stddev"] = rng.random(N_USERS).astype(np.float32)
    for k in range(1, 6):
        frame[f"user_genre_{k}"] = rng.choice(["Film-Noir", "Children's", "Drama"], N_USERS)
    frame.loc[frame.index[::4], "user_genre_5"] = None
    last = frame.index[-1]
    frame.loc[last, ["user_liked_item_1", "user_rating_mean", "user_rating_stddev"]] = pd.NA
    frame.loc[last, [f"user_genre_{k}" for k in range(1, 6)]] = None
    return frame


@pytest.fixture(scope="session")
def item_frame() -> pd.DataFrame:
    rng = generator(5, "serving items")
    frame = pd.DataFrame({"item_id": rng.permutation(np.arange(1, N_ITEMS + 1))})
    frame["release_year"] = pd.array(rng.integers(1950, 1999, N_ITEMS), dtype="Int16")
    frame.loc[3, "release_year"] = pd.NA
    for k in range(1, 4):
        frame[f"item_genre_{k}"] = rng.choice(["Film-Noir", "Children's", "Drama", None], N_ITEMS)
    frame["item_rating_count"] = rng.integers(0, 300, N_ITEMS).astype(np.int32)
    frame["item_rating_mean"] = (1 + 4 * rng.random(N_ITEMS)).astype(np.float32)
    frame["item_rating_stddev"] = rng.random(N_ITEMS).astype(np.float32)
    return frame


@pytest.fixture(scope="session")
def interactions() -> pd.DataFrame:
    """Each user has rated every third item and some more; popular items have low ids."""
    rng = generator(5, "serving interactions")
    user, item = (grid.ravel() for grid in np.mgrid[1 : N_USERS + 1, 1 : N_ITEMS + 1])
    kept = (item % 3 == user % 3) | (rng.random(user.size) < 3 / (item + 5))
    frame = pd.DataFrame({"user_id": user * 10, "item_id": item, "rating": np.float32(4)})[kept]
    return frame.assign(timestamp=np.arange(kept.sum()))


@pytest.fixture(scope="session")
def pairs(users, item_frame) -> pd.DataFrame:
    """Every user with every item, as a table of samples."""
    return users.merge(item_frame, how="cross")


@pytest.fixture(scope="session")
def model(pairs) -> RankingModel:
    """A network with random weights: what is tested here does not depend on training."""
    config = RankingConfig(embedding_dim=3, hidden=(8, 5), training=TrainingConfig())
    inputs = FeatureInputs.fit(pairs, config.categories, config.numbers, standardize=True)
    rng = generator(5, "serving weights")
    sizes = (10 * 3 + 7, 8, 5)
    weights = {"embeddings/table": rng.normal(size=(sum(inputs.sizes), 3))}
    for depth in (1, 2):
        weights[f"hidden_{depth}/kernel"] = rng.normal(0, 0.4, size=sizes[depth - 1 : depth + 1])
        weights[f"hidden_{depth}/bias"] = rng.normal(0, 0.1, size=sizes[depth])
    weights |= {"like/kernel": rng.normal(size=(5, 1)), "like/bias": np.zeros(1)}
    weights = {name: array.astype(np.float32) for name, array in weights.items()}
    return RankingModel("embedding_mlp", config, inputs, weights)


@pytest.fixture
def store(client, users) -> RedisFeatureStore:
    store = RedisFeatureStore(client)
    store.publish(users, version="1")
    return store


@pytest.fixture
def cascade(store, model, item_frame, interactions) -> Cascade:
    ranker = NetworkRanker(model, ItemFeatureTable(item_frame), store)
    return Cascade(Popular().fit(interactions), ranker, candidates=12)
