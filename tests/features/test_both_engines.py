"""The embedded engine and Spark give the same rows, value by value, to the last bit.

Sums of stars in halves and of years are exact in double precision, whatever the order of adding.
For other ratings the last bit of a sum depends on that order, and near zero a deviation depends on
little else: there the engines agree within two steps of single precision, or a millionth of a star.
"""

import numpy as np
import pandas as pd
import pytest
from engine_frames import given, tables, taken

from recsys_lib import schema
from recsys_lib.features import (
    monitoring_statistics,
    serving_features,
    training_samples,
    user_ties,
    with_content,
)
from recsys_lib.features.declarations import FEATURES, STATE
from recsys_lib.features.feature import BEFORE, Aggregate, Feature
from recsys_lib.features.registry import arrow_schema, names

pytestmark = pytest.mark.spark

ALL = names(all_families=True)


def assert_equal(ours, theirs, **tolerance):
    theirs = taken(theirs)
    order = [c for c in ("timestamp", "user_id", "item_id", "rating") if c in ours]
    ours, theirs = (frame.sort_values(order, ignore_index=True) for frame in (ours, theirs))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=not tolerance, **tolerance)


def assert_engines_agree(spark, events, items, users=None, columns=None, **tolerance):
    """Compare samples and serving features of both engines; return the samples."""
    ours = tables(None, events, items, users)
    theirs = tables(spark, events, items, users)
    samples = training_samples(*ours, columns=columns)
    assert_equal(samples, training_samples(*theirs, columns=columns), **tolerance)
    for table, other in zip(
        serving_features(*ours, columns=columns),
        serving_features(*theirs, columns=columns),
        strict=True,
    ):
        assert_equal(table, other, **tolerance)
    return samples


@pytest.mark.parametrize(
    ("columns", "n_events"), [(names(), 4_000), (ALL, 2_000)], ids=["reference", "all families"]
)
def test_movielens(spark, ml_100k, columns, n_events):
    """Samples, serving features and what a dashboard says of them.

    The first events only, fewer for all families, among which the ties between users take Spark
    minutes: the rules are the same at any length. That all 100,000 come out alike shows
    :mod:`test_cluster`.
    """
    items = (ml_100k.items[schema.ITEMS.names], schema.ITEMS)
    triples = (ml_100k.triples, schema.TRIPLES)
    events = (ml_100k.interactions[:n_events], schema.INTERACTIONS)
    users = (ml_100k.users, schema.USERS)
    made = {}
    for engine in (None, spark):
        known = with_content(given(engine, *items), given(engine, *triples))
        frames = given(engine, *events), known, given(engine, *users)
        made[engine] = (
            training_samples(*frames, columns=columns),
            *serving_features(*frames, columns=columns),
        )
    for ours, theirs in zip(made[None], made[spark], strict=True):
        assert_equal(ours, theirs)
    samples = made[None][0]
    assert len(samples) == n_events
    watched = [c for c in columns if FEATURES[c].kind == "number"] + ["user_genre_1"]
    kept = arrow_schema(["timestamp", *watched])
    ours, theirs = (
        monitoring_statistics(given(engine, samples[kept.names], kept), watched)
        for engine in (None, spark)
    )
    # Spark estimates how many values differ, and adds up means in another order.
    assert (ours.distinct / theirs.distinct).between(0.85, 1.15).all()
    exact = ["period", "column", "rows", "filled", "p05", "p50", "p95"]
    pd.testing.assert_frame_equal(ours[exact], theirs[exact], check_exact=True)
    of_sums = ["mean", "stddev", "drift"]
    np.testing.assert_allclose(ours[of_sums], theirs[of_sums], rtol=1e-9, atol=1e-12)


def rough_world(seed: int, ratings):
    """Return a history with all that may be odd: ids far apart, repeated events, orphans, holes."""
    random = np.random.default_rng(seed)
    n, users, items = 3_000, [-5, 0, 7, *range(100, 130), 2**40], [-1, *range(50), 2**50]
    events = pd.DataFrame(
        {
            "user_id": random.choice(users, n),
            "item_id": random.choice(items, n),
            "rating": random.choice(ratings, n).astype("float32"),
            "timestamp": random.integers(0, 40, n) * 86_000,
        }
    )
    known = random.permutation(items)[:40]
    genres = ["Drama", "Film\\Noir", "Children's", 'Sci"Fi', "戏剧", "a, b"]
    catalogue = pd.DataFrame(
        {
            "item_id": known,
            "title": [None if k % 7 == 0 else f"The Wrong Trousers {k}" for k in range(40)],
            "release_year": pd.array(
                [None if k % 5 == 0 else 1930 + k for k in range(40)], "Int16"
            ),
            "genres": [list(random.choice(genres, random.integers(0, 6))) for _ in known],
            "entity_id": None,
        }
    )
    people = pd.DataFrame({"user_id": users[::2], "occupation": None, "zip_code": "V5K"})
    people["age"] = pd.array([None if k % 3 == 0 else k for k in range(len(people))], "Int16")
    people["gender"] = [None if k % 4 == 0 else "F" for k in range(len(people))]
    return events, catalogue, people[schema.USERS.names]


@pytest.mark.parametrize("seed", [1, 2])
def test_histories_with_all_that_may_be_odd(spark, seed):
    stars = np.arange(1, 11) / 2
    samples = assert_engines_agree(spark, *rough_world(seed, stars), columns=ALL)
    assert samples.duplicated(["user_id", "item_id", "timestamp"]).any()
    assert samples.user_strong_ties.max() > 10


def test_ratings_whose_sums_are_not_exact(spark):
    tenths = np.arange(1, 50) / 10
    assert_engines_agree(spark, *rough_world(3, tenths), rtol=2**-22, atol=1e-6)


def test_ties_are_the_same_pairs(spark):
    events = rough_world(4, [3.0, 5.0])[0][:900]
    ours, theirs = (user_ties(given(e, events, schema.INTERACTIONS)) for e in (None, spark))
    theirs = theirs.toPandas().sort_values(["user_id", "other_id"], ignore_index=True)
    pd.testing.assert_frame_equal(ours, theirs)
    assert ours.strong_since.notna().any()
    assert ours.strong_since.isna().any()


def test_a_feature_added_to_the_registry_works_in_both(spark, monkeypatch):
    """One declaration of a feature and one of the state it needs, and nothing else."""
    monkeypatch.setitem(STATE["user"], "user_best", Aggregate("max", "rating + 0"))
    monkeypatch.setitem(STATE["item"], "item_fans", Aggregate("count", "nullif(label, false)"))
    features = [
        Feature(
            name="user_best_rating", subject="user", family="explicit behaviour", kind="number",
            dtype="float32", rule=BEFORE, source="interactions.rating", unit="stars",
            meaning="the best rating the user has given", formula="user_best",
        ),
        Feature(
            name="item_share_of_fans", subject="item", family="explicit behaviour", kind="number",
            dtype="float32", rule=BEFORE, source="interactions.rating",
            meaning="share of likes in the item's ratings",
            formula="item_fans / nullif(item_rating_count, 0)",
        ),
        Feature(
            name="better_known_genre", subject="event", family="explicit behaviour",
            kind="category", dtype="string", rule=BEFORE, source="interactions, items.genres",
            meaning="the item's first genre where it is the user's favourite",
            formula="case when genres[1] = user_genres[1] then genres[1] end",
        ),
    ]  # fmt: skip
    for feature in features:
        monkeypatch.setitem(FEATURES, feature.name, feature)
    added = [feature.name for feature in features]
    events, items, users = rough_world(5, [2.0, 3.5, 4.5])
    columns = ["user_id", "item_id", "rating", "timestamp", *added]
    samples = assert_engines_agree(spark, events, items, users, columns)
    some = samples.iloc[len(samples) // 2]
    earlier = events[events.timestamp < some.timestamp]
    assert some.user_best_rating == earlier.rating[earlier.user_id == some.user_id].max()
    of_item = earlier.rating[earlier.item_id == some.item_id]
    assert some.item_share_of_fans == np.float32((of_item >= 3.5).mean())
    assert samples.better_known_genre.notna().any()
