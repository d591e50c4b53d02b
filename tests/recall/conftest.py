"""A small world for the recall tests: tastes in groups, so that every channel has work to do."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.seeding import generator

N_USERS, N_ITEMS, N_GROUPS = 40, 60, 3


@pytest.fixture(scope="session")
def interactions() -> pd.DataFrame:
    """Ratings of 40 users on 60 items; users like the items of their group."""
    rng = generator(7, "recall world")
    user, item = (grid.ravel() for grid in np.mgrid[:N_USERS, :N_ITEMS])
    same_group = user % N_GROUPS == item % N_GROUPS
    popularity = 1 / (1 + item / 20)
    kept = rng.random(user.size) < np.where(same_group, 0.8, 0.2) * popularity
    rating = np.where(same_group, 5, 2) - (rng.random(user.size) < 0.2)
    frame = pd.DataFrame(
        {
            "user_id": user.astype(np.int64) * 3 + 1,  # ids are not row numbers
            "item_id": item.astype(np.int64) * 7 + 5,
            "rating": rating.astype(np.float32),
            "timestamp": rng.integers(0, 10_000_000, user.size),
        }
    )[kept]
    return frame.sort_values(["timestamp", "user_id", "item_id"], ignore_index=True)


@pytest.fixture(scope="session")
def items() -> pd.DataFrame:
    """The item table; the last item has neither year, genre nor people."""
    item = np.arange(N_ITEMS)
    years = pd.array([*(1990 + item[:-1] % 8), None], dtype="Int16")
    genres = [["abc"[i % N_GROUPS], "all"] for i in item[:-1]] + [[]]
    return pd.DataFrame(
        {
            "item_id": item * 7 + 5,
            "title": [f"item {i}" for i in item],
            "release_year": years,
            "genres": genres,
            "people": [[f"director {i % 7}", f"actor {i % 5}"] for i in item[:-1]] + [[]],
        }
    )


@pytest.fixture(scope="session")
def table() -> EmbeddingTable:
    """Vectors near their group's centre, for all items but the last ten."""
    rng = generator(7, "recall vectors")
    item = np.arange(N_ITEMS - 10)
    vectors = np.eye(N_GROUPS, 8)[item % N_GROUPS] + 0.3 * rng.standard_normal((item.size, 8))
    return EmbeddingTable(item * 7 + 5, vectors)
