"""Features folded event by event equal those of the batch, to the last bit."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.splits import Split
from recsys_lib.features import build_serving_features
from recsys_lib.features.running import GENRE_LIKES, SUMS, RunningUserFeatures, in_order
from recsys_lib.stores.rows import RowFormat

GENRES = ["Action", "Comedy", "Drama", "Film-Noir", "Western"]


class Small:
    """As much of a data set as the features read."""

    def __init__(self):
        rng = np.random.default_rng(5)
        n_items, n_events = 60, 1_500
        self.items = pd.DataFrame({"item_id": np.arange(n_items), "title": "x"})
        self.items["release_year"] = pd.array(rng.integers(1920, 2000, n_items), dtype="Int16")
        self.items.loc[3, "release_year"] = pd.NA
        self.items["genres"] = [
            rng.choice(GENRES, rng.integers(0, 4), replace=False).tolist() for _ in range(n_items)
        ]
        self.items["entity_id"] = None
        self.interactions = pd.DataFrame(
            {
                "user_id": rng.integers(1, 25, n_events),
                "item_id": rng.integers(0, n_items, n_events),
                "rating": (rng.integers(1, 11, n_events) / 2).astype(np.float32),
                "timestamp": np.sort(rng.integers(0, 300, n_events)),  # many to a second
            }
        )


@pytest.fixture(scope="module")
def small() -> Small:
    return Small()


@pytest.fixture(scope="module")
def batch(small) -> dict[int, dict]:
    none = small.interactions[:0]
    split = Split("all", train=small.interactions, validation=none, test=none)
    users = build_serving_features(small, {"all": split})["all"]["users"]
    return {row["user_id"]: row.dropna().to_dict() for _, row in users.iterrows()}


def as_stored(rows: list[dict], running: RunningUserFeatures) -> dict[int, dict]:
    """Return the rows by user as they come out of a store: float32, without state."""
    columns = [*{name for row in rows for name in row}]
    row_format = RowFormat.of(columns, "user_id", running.types)
    table = row_format.table(pd.DataFrame(rows))
    read, _ = row_format.unpack(
        table["user_id"].to_pylist(), row_format.pack(table, np.zeros(len(table)))
    )
    state = (SUMS, GENRE_LIKES)
    return {
        row["user_id"]: {name: value for name, value in row.items() if name not in state}
        for row in read
    }


def test_a_whole_history_gives_the_batch(small, batch):
    running = RunningUserFeatures(small.items)
    assert as_stored(running.rows(small.interactions), running) == batch


def test_events_one_by_one_give_the_batch(small, batch):
    running = RunningUserFeatures(small.items)
    users: dict[int, dict] = {}
    for event in in_order(small.interactions).to_dict("records"):
        (row,) = running.fold([users.get(event["user_id"], {"user_id": event["user_id"]})], [event])
        users[event["user_id"]] = row
    assert as_stored(list(users.values()), running) == batch


def test_rows_that_went_in_are_not_changed(small):
    running = RunningUserFeatures(small.items)
    (before,) = running.fold([{"user_id": 1}], [{"user_id": 1, "item_id": 5, "rating": 5.0}])
    sums, likes = before[SUMS].copy(), before[GENRE_LIKES].copy()
    running.fold([before], [{"user_id": 1, "item_id": 7, "rating": 4.0}])
    assert before[SUMS].tolist() == sums.tolist()
    assert before[GENRE_LIKES].tolist() == likes.tolist()
    assert before["user_rating_count"] == 1


def test_an_unknown_item_counts_without_year_and_genres(small):
    running = RunningUserFeatures(small.items)
    (row,) = running.fold([{"user_id": 1}], [{"user_id": 1, "item_id": -9, "rating": 4.5}])
    assert row["user_rating_mean"] == 4.5
    assert row["user_liked_item_1"] == -9
    assert "user_release_year_mean" not in row
    assert "user_genre_1" not in row
