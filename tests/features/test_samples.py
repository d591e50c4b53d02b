"""Point-in-time samples against a slow reference, over random histories full of ties."""

import numpy as np
import pandas as pd
import pytest
from samples_reference import further_features, item_features, same, ties_of, user_features

from recsys_lib import schema
from recsys_lib.errors import DataError
from recsys_lib.features import (
    request_features,
    serving_features,
    to_pandas,
    to_spark,
    training_samples,
    user_ties,
)
from recsys_lib.features.registry import FEATURES, LABEL, arrow_schema, names
from recsys_lib.features.ties import NEIGHBOURS

pytestmark = pytest.mark.spark

ALL = names(all_families=True)
GENRES = ("Comedy", "Drama", "Children's", "Film\\Noir", "War")
LAST = 2**40  # later than any event


def people(user_ids):
    """Return the table of users; each third of them is not in it."""
    known = [user for user in user_ids if user % 3]
    return pd.DataFrame(
        {
            "user_id": known,
            "age": pd.array([20 + user % 50 for user in known], dtype="Int16"),
            "gender": ["FM"[user % 2] for user in known],
            "occupation": [["artist", "writer"][user % 2] for user in known],
            "zip_code": [["90210", "V5K0A1", ""][user % 3] for user in known],
        }
    )


def random_world(seed: int, n_users: int = 24, n_items: int = 15):
    """Return events and items: bursts in one second, heavy and light users, missing metadata."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        # Few seconds for many events: most of them tie, as on MovieLens.
        count = int(random.integers(2, n_items + 1))
        count = 1 if user < 3 else n_items if user > 18 else count
        for item in random.choice(n_items, size=count, replace=False):
            rows.append(
                (
                    user * 7,
                    int(item) * 3,
                    random.integers(1, 11) / 2,
                    random.integers(1, 9) * 40_000,
                )
            )
    events = pd.DataFrame(rows, columns=schema.INTERACTIONS.names).sample(frac=1, random_state=seed)
    known = [item * 3 for item in range(2, n_items + 2)]  # two are missing, two have no event
    items = pd.DataFrame(
        {
            "item_id": known,
            "title": [f"film {item}" for item in known],
            "release_year": pd.array(
                [None if item % 5 == 0 else 1950 + item for item in known], dtype="Int16"
            ),
            "genres": [list(random.permutation(GENRES)[: random.integers(0, 5)]) for _ in known],
            "entity_id": None,
        }
    )
    return events.reset_index(drop=True), items


def in_spark(spark, events, items, users=None):
    tables = (
        to_spark(spark, events, schema.INTERACTIONS),
        to_spark(spark, items, schema.ITEMS),
    )
    return tables if users is None else (*tables, to_spark(spark, users, schema.USERS))


def tie_order(spark, events) -> dict:
    """Return the documented order of likes within a second: a hash of seed, user and item."""
    pairs = to_spark(spark, events, schema.INTERACTIONS)
    hashed = pairs.selectExpr("user_id", "item_id", "xxhash64(42, user_id, item_id) AS tie")
    return {(row.user_id, row.item_id): row.tie for row in hashed.collect()}


@pytest.fixture(scope="module")
def world(spark):
    """Many random histories in one job: user and item ids of each are shifted apart."""
    events, items = [], []
    for seed in range(6):
        some_events, some_items = random_world(seed)
        shift = 1000 * seed
        some_events["user_id"] += shift
        some_events["item_id"] += shift
        some_items["item_id"] += shift
        events.append(some_events)
        items.append(some_items)
    events = pd.concat(events, ignore_index=True)
    items = pd.concat(items, ignore_index=True)
    return events, items, people(events.user_id.unique()), tie_order(spark, events)


@pytest.fixture(scope="module")
def samples(spark, world):
    return to_pandas(training_samples(*in_spark(spark, *world[:3]), ALL))


@pytest.fixture(scope="module")
def serving(spark, world):
    users, items = serving_features(*in_spark(spark, *world[:3]), ALL)
    return to_pandas(users), to_pandas(items)


def assert_same(row, expected: dict):
    wrong = {
        name: (getattr(row, name), value)
        for name, value in expected.items()
        if not same(getattr(row, name), value)
    }
    assert not wrong, f"user {row.user_id} item {row.item_id}: (found, expected) {wrong}"


def test_samples_equal_the_reference(world, samples):
    events, items, users, tie = world
    assert len(samples) == len(events) > 1000
    tied = events.duplicated(["user_id", "timestamp"], keep=False).mean()
    assert tied > 0.5  # or the test would not say much
    assert samples.user_strong_ties.max() > 1
    ties = ties_of(events, tie, NEIGHBOURS)
    for row in samples.itertuples():
        who = (row.user_id, row.item_id, row.timestamp)
        assert_same(row, further_features(*who, events, users, ties))
        assert_same(row, item_features(row.item_id, row.timestamp, events, items))
        assert_same(row, user_features(row.user_id, row.timestamp, events, items, tie))
        assert row.label == (row.rating >= 3.5)


def test_serving_equals_a_sample_one_moment_later(spark, world, samples, serving):
    """Replay: add an event after all others for each user and item, and read its features."""
    events, items, people, _ = world
    users, item_rows = serving
    items_seen = np.sort(np.union1d(events.item_id, items.item_id))
    later = pd.concat(
        [
            pd.DataFrame({"user_id": users.user_id, "item_id": -1}),
            pd.DataFrame({"user_id": -1, "item_id": items_seen}),
        ]
    ).assign(rating=5.0, timestamp=LAST)
    tables = in_spark(spark, pd.concat([events, later]), items, people)
    replayed = to_pandas(training_samples(*tables, ALL))
    replayed = replayed[replayed.timestamp == LAST]
    for subject, table in (("user", users), ("item", item_rows)):
        key = f"{subject}_id"
        columns = [key, *names(subject, all_families=True)]
        moment_later = replayed[replayed[key] >= 0][columns].sort_values(key)
        # Equal to the last bit: both are the same formula over the same exact sums.
        pd.testing.assert_frame_equal(
            table[columns].reset_index(drop=True), moment_later.reset_index(drop=True),
            check_exact=True,
        )  # fmt: skip
    # What serving computes at the request is what the sample of that moment holds.
    moment = ["hour", "weekday", "user_days_since_first", "user_days_since_last"]
    asked = users.assign(timestamp=LAST)
    expected = replayed[replayed.user_id >= 0].sort_values("user_id", ignore_index=True)
    pd.testing.assert_frame_equal(
        request_features(asked, moment), expected[moment], check_exact=True
    )


def test_no_sample_changes_when_the_future_does(spark, world, samples):
    """Cut the history in two: the samples of the first half must not notice."""
    events, items, users, _ = world
    middle = 5 * 40_000
    first = events[events.timestamp < middle]
    alone = to_pandas(training_samples(*in_spark(spark, first, items, users), ALL))
    pd.testing.assert_frame_equal(
        alone, samples[samples.timestamp < middle].reset_index(drop=True), check_exact=True
    )


def test_row_order_and_partitions_do_not_matter(spark, world, samples):
    events, items, users, _ = world
    shuffled, *tables = in_spark(spark, events.sample(frac=1, random_state=9), items, users)
    again = to_pandas(training_samples(shuffled.repartition(7), *tables, ALL))
    pd.testing.assert_frame_equal(again, samples, check_exact=True)


def test_a_column_does_not_depend_on_the_others_asked_for(spark, world, samples):
    for chosen in (names(), ["timestamp", "user_id", "item_id", "user_genre_2", "item_director"]):
        table = to_pandas(training_samples(*in_spark(spark, *world[:3]), chosen))
        pd.testing.assert_frame_equal(table, samples[chosen], check_exact=True)


def test_a_film_ties_a_fan_to_the_fans_just_before(spark, monkeypatch):
    monkeypatch.setattr("recsys_lib.features.ties.NEIGHBOURS", 2)
    fans = events_of(*((user, 1, 5.0, user) for user in (1, 2, 3, 4)), (5, 1, 2.0, 5))
    ties = user_ties(to_spark(spark, fans, schema.INTERACTIONS)).toPandas()
    found = {(row.user_id, row.other_id, row.weak_since) for row in ties.itertuples()}
    assert found == {(1, 2, 2), (1, 3, 3), (2, 3, 3), (2, 4, 4), (3, 4, 4)}
    assert (ties.films == 1).all()
    assert ties.strong_since.isna().all()


def test_types_are_those_of_the_registry(samples, serving):
    assert list(samples.columns) == ALL
    users, items = serving
    assert list(users.columns) == ["user_id", *names("user", all_families=True)]
    assert list(items.columns) == ["item_id", *names("item", all_families=True)]
    for table in (samples, users, items):
        for name in table.columns:
            dtype = str(table[name].dtype).lower()
            told = FEATURES[name].dtype
            assert dtype == ("object" if told.startswith("string") else told)
            assert FEATURES[name].nullable or table[name].notna().all()
        assert arrow_schema(list(table.columns)).names == list(table.columns)


def tiny_items(**columns):
    table = {"item_id": [1], "title": ["a"], "release_year": [1990], "genres": [["Drama"]]}
    return pd.DataFrame(table | columns).assign(entity_id=None).astype({"release_year": "Int16"})


def events_of(*rows):
    return pd.DataFrame(rows, columns=schema.INTERACTIONS.names)


def test_first_events_know_nothing(spark):
    """One user, one event; an item without metadata; a further column is handed through."""
    events = events_of((1, 1, 4.0, 10), (2, 99, 3.0, 10)).assign(part=["train", "test"])
    row, orphan = to_pandas(training_samples(*in_spark(spark, events, tiny_items()))).itertuples()
    assert (row.user_rating_count, row.item_rating_count) == (0, 0)
    empty = [n for n in names("user") if n != "user_rating_count"]
    assert all(pd.isna(getattr(row, name)) for name in empty)
    assert (row.release_year, row.item_genre_1, row.item_genre_2) == (1990, "Drama", None)
    assert pd.isna(orphan.release_year)
    assert orphan.item_genre_1 is None
    assert (row.part, orphan.part) == ("train", "test")


def test_no_events_and_no_genres(spark):
    no_events = events_of().astype({"rating": "float32"})
    events, items = in_spark(spark, no_events, tiny_items(genres=[[]]))
    assert to_pandas(training_samples(events, items)).columns.tolist() == names()
    users, item_rows = serving_features(events, items)
    assert users.count() == 0
    (row,) = to_pandas(item_rows).itertuples()
    assert row.item_rating_count == 0
    assert pd.isna(row.item_rating_mean)
    assert row.item_genre_1 is None


def test_too_many_genres_are_refused(spark):
    events, items = in_spark(
        spark, events_of((1, 1, 4.0, 10)), tiny_items(genres=[[f"tag {i}" for i in range(101)]])
    )
    with pytest.raises(DataError, match="more than 100 different genres"):
        training_samples(events, items)


def test_label_is_a_like(spark):
    events = events_of(*((1, item, stars, item) for item, stars in enumerate((3.0, 3.5, 4.0))))
    samples = to_pandas(training_samples(*in_spark(spark, events, tiny_items())))
    assert samples[LABEL].tolist() == [0, 1, 1]
