"""Point-in-time samples of both engines against a slow reference, over histories full of ties."""

import numpy as np
import pandas as pd
import pytest
from engine_frames import given, tables, taken
from samples_reference import further_features, item_features, same, ties_of, user_features

from recsys_lib import schema
from recsys_lib.errors import DataError
from recsys_lib.features import (
    request_features,
    serving_features,
    training_samples,
    user_ties,
)
from recsys_lib.features.declarations import TIE_NEIGHBOURS
from recsys_lib.features.registry import FEATURES, LABEL, arrow_schema, names
from recsys_lib.features.tie_break import tie_break

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


@pytest.fixture(scope="module")
def world():
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
    return events, items, people(events.user_id.unique())


@pytest.fixture(scope="module")
def samples(engine, world):
    return taken(training_samples(*tables(engine, *world), ALL))


@pytest.fixture(scope="module")
def serving(engine, world):
    users, items = serving_features(*tables(engine, *world), ALL)
    return taken(users), taken(items)


def assert_same(row, expected: dict):
    wrong = {
        name: (getattr(row, name), value)
        for name, value in expected.items()
        if not same(getattr(row, name), value)
    }
    assert not wrong, f"user {row.user_id} item {row.item_id}: (found, expected) {wrong}"


def test_samples_equal_the_reference(world, samples):
    events, items, users = world
    pairs = events[["user_id", "item_id"]]
    order = tie_break(*(pairs[c].to_numpy() for c in pairs))
    tie = dict(zip(pairs.itertuples(index=False, name=None), order, strict=True))
    assert len(samples) == len(events) > 1000
    tied = events.duplicated(["user_id", "timestamp"], keep=False).mean()
    assert tied > 0.5  # or the test would not say much
    assert samples.user_strong_ties.max() > 1
    ties = ties_of(events, tie, TIE_NEIGHBOURS)
    for row in samples.itertuples():
        who = (row.user_id, row.item_id, row.timestamp)
        assert_same(row, further_features(*who, events, users, ties))
        assert_same(row, item_features(row.item_id, row.timestamp, events, items))
        assert_same(row, user_features(row.user_id, row.timestamp, events, items, tie))
        assert row.label == (row.rating >= 3.5)


def test_serving_equals_a_sample_one_moment_later(engine, world, samples, serving):
    """Replay: add an event after all others for each user and item, and read its features."""
    events, items, people = world
    users, item_rows = serving
    items_seen = np.sort(np.union1d(events.item_id, items.item_id))
    later = pd.concat(
        [
            pd.DataFrame({"user_id": users.user_id, "item_id": -1}),
            pd.DataFrame({"user_id": -1, "item_id": items_seen}),
        ]
    ).assign(rating=5.0, timestamp=LAST)
    everything = tables(engine, pd.concat([events, later]), items, people)
    replayed = taken(training_samples(*everything, ALL))
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


def test_no_sample_changes_when_the_future_does(engine, world, samples):
    """Cut the history in two: the samples of the first half must not notice."""
    events, items, users = world
    middle = 5 * 40_000
    first = events[events.timestamp < middle]
    alone = taken(training_samples(*tables(engine, first, items, users), ALL))
    pd.testing.assert_frame_equal(
        alone, samples[samples.timestamp < middle].reset_index(drop=True), check_exact=True
    )


def test_the_order_of_rows_does_not_matter(engine, world, samples):
    events, items, users = world
    shuffled, *others = tables(engine, events.sample(frac=1, random_state=9), items, users)
    if engine is not None:
        shuffled = shuffled.repartition(7)
    again = taken(training_samples(shuffled, *others, ALL))
    pd.testing.assert_frame_equal(again, samples, check_exact=True)


def test_a_column_does_not_depend_on_the_others_asked_for(engine, world, samples):
    for chosen in (names(), ["timestamp", "user_id", "item_id", "user_genre_2", "item_director"]):
        table = taken(training_samples(*tables(engine, *world), chosen))
        pd.testing.assert_frame_equal(table, samples[chosen], check_exact=True)


def test_a_film_ties_a_fan_to_the_fans_just_before(engine):
    fans = events_of(*((user, 1, 5.0, user) for user in (1, 2, 3, 4)), (5, 1, 2.0, 5))
    ties = user_ties(given(engine, fans, schema.INTERACTIONS), neighbours=2)
    ties = ties if engine is None else ties.toPandas()
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
            stated = FEATURES[name].dtype
            assert dtype == ("object" if stated.startswith("string") else stated)
            assert FEATURES[name].nullable or table[name].notna().all()
        assert arrow_schema(list(table.columns)).names == list(table.columns)


def tiny_items(**columns):
    table = {"item_id": [1], "title": ["a"], "release_year": [1990], "genres": [["Drama"]]}
    return pd.DataFrame(table | columns).assign(entity_id=None).astype({"release_year": "Int16"})


def events_of(*rows):
    return pd.DataFrame(rows, columns=schema.INTERACTIONS.names)


def test_first_events_know_nothing(engine):
    """One user, one event; an item without metadata; a further column is handed through."""
    events = events_of((1, 1, 4.0, 10), (2, 99, 3.0, 10)).assign(part=["train", "test"])
    row, orphan = taken(training_samples(*tables(engine, events, tiny_items()))).itertuples()
    assert (row.user_rating_count, row.item_rating_count) == (0, 0)
    empty = [n for n in names("user") if n != "user_rating_count"]
    assert all(pd.isna(getattr(row, name)) for name in empty)
    assert (row.release_year, row.item_genre_1, row.item_genre_2) == (1990, "Drama", None)
    assert pd.isna(orphan.release_year)
    assert orphan.item_genre_1 is None
    assert (row.part, orphan.part) == ("train", "test")


def test_no_events_and_no_genres(engine):
    no_events = events_of().astype({"rating": "float32"})
    events, items = tables(engine, no_events, tiny_items(genres=[[]]))
    assert taken(training_samples(events, items)).columns.tolist() == names()
    users, item_rows = serving_features(events, items)
    assert len(taken(users)) == 0
    (row,) = taken(item_rows).itertuples()
    assert row.item_rating_count == 0
    assert pd.isna(row.item_rating_mean)
    assert row.item_genre_1 is None


def test_too_many_genres_are_refused(engine):
    many = tiny_items(genres=[[f"tag {i}" for i in range(101)]])
    with pytest.raises(DataError, match="more than 100 different genres"):
        training_samples(*tables(engine, events_of((1, 1, 4.0, 10)), many))


def test_label_is_a_like(engine):
    events = events_of(*((1, item, stars, item) for item, stars in enumerate((3.0, 3.5, 4.0))))
    samples = taken(training_samples(*tables(engine, events, tiny_items())))
    assert samples[LABEL].tolist() == [0, 1, 1]


def test_a_table_of_another_form_is_refused():
    events, items = events_of((1, 1, 4.0, 10)), tiny_items()
    with pytest.raises(DataError, match=r"no column 'rating'. Did you mean 'ratings'"):
        training_samples(events.rename(columns={"rating": "ratings"}), items)
    with pytest.raises(DataError, match="'rating' has 1 missing values"):
        training_samples(events.assign(rating=[None]), items)
    with pytest.raises(DataError, match="a column 'release_year', which is the name"):
        training_samples(events.assign(release_year=1990), items)
    with pytest.raises(DataError, match="The item 1 has more than one row"):
        training_samples(events, pd.concat([items, items]))
