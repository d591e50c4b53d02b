"""History on disk: all versions stay, a killed writer leaves nothing, reads as of a moment."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError
from recsys_lib.stores import ParquetFeatureStore, StoreUnavailable, latest_known

WRITER = Path(__file__).with_name("store_writer.py")


def counts(n_users: int, count: int) -> pd.DataFrame:
    count_column = np.full(n_users, count, np.int32)
    return pd.DataFrame({"user_id": np.arange(n_users), "user_rating_count": count_column})


@pytest.fixture
def store(tmp_path, clock) -> ParquetFeatureStore:
    return ParquetFeatureStore(tmp_path, clock=clock)


def test_every_version_stays(store):
    for version in range(4):
        store.publish(counts(3, version), str(version))
    assert store.names() == ["0", "1", "2", "3"]
    assert store.table("1")["user_rating_count"].to_pylist() == [1, 1, 1]
    assert store.table()["user_rating_count"].to_pylist() == [3, 3, 3]
    with pytest.raises(DataError, match=r"no version '9'.*0, 1, 2, 3"):
        store.table("9")
    with pytest.raises(DataError, match="already"):
        store.publish(counts(3, 1), "0")


def test_a_killed_writer_leaves_the_old_version_and_its_remains_are_swept(store, tmp_path):
    store.publish(counts(10, 1), "1")
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), "parquet", str(tmp_path), "1000", "2"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout.readline() == "writing\n"
    writer.kill()
    writer.wait()
    writer.stdout.close()
    assert [path.name for path in tmp_path.glob(".version=2.*")] != []
    (tmp_path / "version=7").mkdir()  # killed between the folder's renaming and the list's
    (tmp_path / ".versions.json.abcdefgh").write_text("{")
    (tmp_path / "notes.txt").write_text("somebody's own")
    assert store.read(0)["user_rating_count"] == 1
    store.publish(counts(10, 3), "7")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("versions.json", ".versions.json.lock", "version=1", "version=7", "notes.txt")
    }
    assert store.read(0)["user_rating_count"] == 3


def test_damage_is_reported(store, tmp_path):
    store.publish(counts(10, 1), "1")
    (tmp_path / "version=1" / "rows.parquet").unlink()
    with pytest.raises(StoreUnavailable, match="Version '1' can't be read"):
        store.read(1)
    (tmp_path / "versions.json").write_text("{")
    with pytest.raises(StoreUnavailable, match=r"versions.json can't be read"):
        store.read(1)


def test_what_was_known_at_a_moment(store, clock):
    """Three versions; the last corrects the past, and was not known in the past."""
    for version, (as_of, published, count) in {
        "monday": (100, 110, 1),
        "tuesday": (200, 210, 2),
        "monday_corrected": (150, 300, 9),
    }.items():
        clock.now = published
        store.publish(counts(2, count), version, as_of=as_of)
    asked = pd.DataFrame({"user_id": 1, "timestamp": [105, 110, 160, 209, 210, 301, 50]})
    found = store.as_of(asked)
    # At 301 the corrected Monday is known, but Tuesday's values are newer.
    assert found["user_rating_count"].tolist() == [pd.NA, 1, 1, 1, 2, 2, pd.NA]
    assert found["feature_timestamp"].fillna(0).tolist() == [0, 100, 100, 100, 200, 200, 0]


def test_a_row_in_is_a_row_out(store, clock):
    store.publish(counts(3, 1), "1", as_of=100)
    asked = pd.DataFrame(
        {"user_id": [2, 2, 99, 0, 2], "timestamp": clock.now}, index=[7, 7, 3, -1, 0]
    )
    found = store.as_of(asked)
    assert found.index.tolist() == asked.index.tolist()
    assert found["user_id"].tolist() == asked["user_id"].tolist()
    assert found["user_rating_count"].tolist() == [1, 1, pd.NA, 1, 1]
    assert len(store.as_of(asked[:0])) == 0
    assert list(store.as_of(asked, ["user_rating_count"])) == [
        *("user_id", "timestamp", "feature_timestamp", "user_rating_count")
    ]


def test_without_any_version_nothing_is_known(store):
    found = store.as_of(pd.DataFrame({"user_id": [1, 2], "timestamp": [5, 6]}))
    assert found["feature_timestamp"].isna().all()
    assert len(found) == 2


def test_a_value_past_its_time_at_that_moment_is_missing(tmp_path, clock):
    store = ParquetFeatureStore(tmp_path, clock=clock, ttl_s=50)
    clock.now = 100
    store.publish(counts(1, 1), "1")
    found = store.as_of(pd.DataFrame({"user_id": 0, "timestamp": [100, 150, 151]}))
    assert found["user_rating_count"].tolist() == [1, 1, pd.NA]


def test_versions_of_different_columns_are_read_together(store, clock):
    store.publish(counts(1, 1), "1", as_of=100)
    store.publish(pd.DataFrame({"user_id": [0], "user_genre_1": ["Drama"]}), "2", as_of=200)
    clock.now += 1
    found = store.as_of(pd.DataFrame({"user_id": [0], "timestamp": [clock.now]}))
    assert found["user_genre_1"].tolist() == ["Drama"]
    assert found["user_rating_count"].isna().all()


def many_rows(n: int, late: bool, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a history and pairs with few keys and moments: ties and duplicates everywhere."""
    rng = np.random.default_rng(seed)
    history = pd.DataFrame({"user_id": rng.integers(0, 300, n)})
    history["timestamp"] = rng.integers(0, 120, n)
    delay = rng.integers(0, 40, n) * (rng.random(n) < 0.3) if late else 0
    history["created_timestamp"] = history["timestamp"] + delay
    history["user_rating_count"] = np.arange(n, dtype=np.int32)
    asked = pd.DataFrame({"user_id": rng.integers(-2, 303, n)})
    asked["timestamp"] = rng.integers(-5, 130, n)
    return history, asked


def known_rows(history: pd.DataFrame, asked: pd.DataFrame) -> np.ndarray:
    columns = (history[c].to_numpy() for c in ("user_id", "timestamp", "created_timestamp"))
    return latest_known(*columns, asked["user_id"].to_numpy(), asked["timestamp"].to_numpy())


def merged_as_of(history: pd.DataFrame, asked: pd.DataFrame, on: str) -> np.ndarray:
    """Return the row number that pandas finds for each pair, -1 for none."""
    right = history.sort_values(on, kind="stable")[["user_id", on, "user_rating_count"]]
    left = asked.reset_index(names="pair").sort_values("timestamp", kind="stable")
    merged = pd.merge_asof(
        left, right.rename(columns={on: "timestamp"}), on="timestamp", by="user_id"
    )
    return merged.set_index("pair")["user_rating_count"].sort_index().fillna(-1).to_numpy()


def test_it_is_merge_asof_on_100_000_rows_with_ties_and_duplicates():
    history, asked = many_rows(100_000, late=False)
    found = known_rows(history, asked)
    assert (found == merged_as_of(history, asked, "timestamp")).all()
    assert 0 < (found < 0).mean() < 0.2


def test_it_is_merge_asof_over_what_had_been_created_for_late_rows():
    """For each moment merge_asof may only see the rows created by then."""
    history, asked = many_rows(100_000, late=True)
    found = known_rows(history, asked)
    for moment, pairs in asked.groupby("timestamp"):
        then = history[history["created_timestamp"] <= moment]
        then = then.sort_values(["timestamp", "created_timestamp"], kind="stable")
        assert (
            found[pairs.index] == merged_as_of(then, pairs.reset_index(drop=True), "timestamp")
        ).all()
    # Without the time of creation thousands of pairs would have seen the future.
    leaked = merged_as_of(history, asked, "timestamp")
    assert (leaked != found).mean() > 0.2


def test_a_late_row_does_not_hide_a_newer_one():
    """Availability alone is not enough: the row created last may speak of an earlier time."""
    keys = np.zeros(2, np.int64)
    found = latest_known(
        keys, np.array([10.0, 5.0]), np.array([10.0, 20.0]), np.zeros(3, np.int64), [7, 15, 25]
    )
    assert found.tolist() == [-1, 0, 0]


def test_the_store_reads_100_000_pairs_as_the_function_does(store, clock):
    history, asked = many_rows(100_000, late=True)
    history = history.drop_duplicates(["user_id", "timestamp"])
    for day, rows in history.groupby(history.groupby("user_id").cumcount()):
        store.publish(rows, f"v{day}")
        if day == 3:
            break
    published = history[history.groupby("user_id").cumcount() <= 3].reset_index(drop=True)
    found = store.as_of(asked)
    rows = known_rows(published, asked)
    expected = np.where(rows < 0, -1, published["user_rating_count"].to_numpy()[rows])
    assert (found["user_rating_count"].fillna(-1).to_numpy() == expected).all()
    some = asked[:100]  # few pairs are looked up by key
    assert (store.as_of(some)["user_rating_count"].fillna(-1).to_numpy() == expected[:100]).all()
