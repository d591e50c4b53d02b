"""The features, each declared once; :mod:`recsys_lib.features.registry` answers questions on them.

A formula is written over *state* columns (:data:`STATE`): running aggregates of a user's or an
item's events. Samples take the state strictly before the event, serving takes the state after the
last event. The formula is the same, so the two cannot drift apart. Every engine reads this file.
To add a feature, declare it, and the state it needs where no other feature keeps it.
"""

from recsys_lib.features.feature import (
    BEFORE,
    EVENT,
    STATIC,
    Aggregate,
    Feature,
    mean,
    moments,
    stddev,
)
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER

LABEL = "label"
N_ITEM_GENRES = 3
N_LIKED_ITEMS = 5
N_USER_GENRES = 5

# A counter is kept for each genre. MovieLens has 18 to 20; a data set with thousands of free tags
# in `genres` must choose which of them are genres.
MAX_GENRES = 100

# A film ties each user who likes it to the users who liked it just before, so many of them. All
# pairs would grow with the square of a film's audience: at this bound they grow with the events.
TIE_NEIGHBOURS = 20
STRONG_TIE = 5  # films two users both liked, for their tie to be a strong one

# Years are summed relative to this one: the sums stay small, so that their squares stay exact.
YEAR_ORIGIN = 2000
DAY_S = 86_400

# What formulas read of an item and of a user: column of the tables -> type. A table that lacks one
# of them gives nulls. What comes of the knowledge graph and of titles is made by `with_content`.
METADATA: dict[str, dict[str, str]] = {
    "item": {
        "release_year": "int16",
        "genres": "strings",
        "director": "string",
        "writer": "string",
        "actor": "string",
        "title_words": "strings",
    },
    "user": {
        "age": "int16",
        "gender": "string",
        "occupation": "string",
        "zip_code": "string",
    },
}

# Running aggregates by subject. `weak_ties` and `strong_ties` are rows of their own in a user's
# history: how many ties were formed at a second. They have no rating.
STATE: dict[str, dict[str, Aggregate]] = {
    "item": {
        **moments("item_rating", RATING),
        "item_first_timestamp": Aggregate("min", TIMESTAMP),
        "item_last_timestamp": Aggregate("max", TIMESTAMP),
    },
    "user": {
        **moments("user_rating", RATING),
        **moments("user_year", f"(release_year - {YEAR_ORIGIN})"),
        "user_first_timestamp": Aggregate("min", f"if({RATING} is null, null, {TIMESTAMP})"),
        "user_last_timestamp": Aggregate("max", f"if({RATING} is null, null, {TIMESTAMP})"),
        "user_weak_ties": Aggregate("sum", "weak_ties"),
        "user_strong_ties": Aggregate("sum", "strong_ties"),
    },
}

# Two states are lists, which each engine keeps in its own way: the items a user liked last, newest
# first, and the genres with most liked items, equal ones by name.
LAST_LIKES, FAVOURITES = "user_last_likes", "user_genres"

EXPLICIT, IMPLICIT = "explicit behaviour", "implicit behaviour"
RATINGS, EVENTS, TIMES = "interactions.rating", "interactions", "interactions.timestamp"

# fmt: off
_REFERENCE = (
    Feature(
        name=USER, subject="event", family="key", kind="category", dtype="int64", rule=EVENT,
        source="interactions.user_id", meaning="the user",
        formula=USER, vocabulary="user_id", nullable=False, in_reference=True,
    ),
    Feature(
        name=ITEM, subject="event", family="key", kind="category", dtype="int64", rule=EVENT,
        source="interactions.item_id", meaning="the item",
        formula=ITEM, vocabulary="item_id", nullable=False, in_reference=True,
    ),
    Feature(
        name=RATING, subject="event", family="target", kind="none", dtype="float32", rule=EVENT,
        source=RATINGS, unit="stars", meaning="explicit rating",
        formula=RATING, nullable=False, in_reference=True,
    ),
    Feature(
        name=TIMESTAMP, subject="event", family="context", kind="none", dtype="int64", rule=EVENT,
        source=TIMES, unit="s since 1970, UTC", meaning="time of the event",
        formula=TIMESTAMP, nullable=False, in_reference=True,
    ),
    Feature(
        name=LABEL, subject="event", family="target", kind="none", dtype="int8", rule=EVENT,
        source=RATINGS, meaning=f"1 for a like: a rating of {LIKE_THRESHOLD} stars or more",
        formula=LABEL, nullable=False, in_reference=True,
    ),
    Feature(
        name="release_year", subject="item", family="attribute", kind="number", dtype="int16",
        rule=STATIC, source="items.release_year", unit="year", meaning="year of release",
        formula="release_year", in_reference=True,
    ),
    *(
        Feature(
            name=f"item_genre_{k}", subject="item", family="attribute", kind="category",
            dtype="string", rule=STATIC, source="items.genres",
            meaning=f"genre {k} of the item, as listed",
            formula=f"genres[{k}]", vocabulary="genre", in_reference=True,
        )
        for k in range(1, N_ITEM_GENRES + 1)
    ),
    Feature(
        name="item_rating_count", subject="item", family=IMPLICIT, kind="number", dtype="int32",
        rule=BEFORE, source=RATINGS, unit="count", meaning="ratings the item has received",
        formula="item_rating_count", nullable=False, in_reference=True,
    ),
    Feature(
        name="item_rating_mean", subject="item", family=EXPLICIT, kind="number", dtype="float32",
        rule=BEFORE, source=RATINGS, unit="stars", meaning="mean of the item's ratings",
        formula=mean("item_rating"), in_reference=True,
    ),
    Feature(
        name="item_rating_stddev", subject="item", family=EXPLICIT, kind="number",
        dtype="float32", rule=BEFORE, source=RATINGS, unit="stars",
        meaning="standard deviation of the item's ratings",
        formula=stddev("item_rating"), in_reference=True,
    ),
    *(
        Feature(
            name=f"user_liked_item_{k}", subject="user", family=EXPLICIT, kind="category",
            dtype="int64", rule=BEFORE, source=EVENTS,
            meaning="item the user liked last" + (f" but {k - 1}" if k > 1 else ""),
            formula=f"{LAST_LIKES}[{k}]", vocabulary="item_id", in_reference=True,
        )
        for k in range(1, N_LIKED_ITEMS + 1)
    ),
    Feature(
        name="user_rating_count", subject="user", family=IMPLICIT, kind="number", dtype="int32",
        rule=BEFORE, source=RATINGS, unit="count", meaning="ratings the user has given",
        formula="user_rating_count", nullable=False, in_reference=True,
    ),
    Feature(
        name="user_rating_mean", subject="user", family=EXPLICIT, kind="number", dtype="float32",
        rule=BEFORE, source=RATINGS, unit="stars", meaning="mean of the user's ratings",
        formula=mean("user_rating"), in_reference=True,
    ),
    Feature(
        name="user_rating_stddev", subject="user", family=EXPLICIT, kind="number",
        dtype="float32", rule=BEFORE, source=RATINGS, unit="stars",
        meaning="standard deviation of the user's ratings",
        formula=stddev("user_rating"), in_reference=True,
    ),
    Feature(
        name="user_release_year_mean", subject="user", family=IMPLICIT, kind="number",
        dtype="float32", rule=BEFORE, source=f"{EVENTS}, items.release_year", unit="year",
        meaning="mean release year of what the user rated",
        formula=mean("user_year", YEAR_ORIGIN), in_reference=True,
    ),
    Feature(
        name="user_release_year_stddev", subject="user", family=IMPLICIT, kind="number",
        dtype="float32", rule=BEFORE, source=f"{EVENTS}, items.release_year", unit="years",
        meaning="standard deviation of those years",
        formula=stddev("user_year"), in_reference=True,
    ),
    *(
        Feature(
            name=f"user_genre_{k}", subject="user", family=EXPLICIT, kind="category",
            dtype="string", rule=BEFORE, source=f"{EVENTS}, items.genres",
            meaning=f"genre {k} by number of liked items",
            formula=f"{FAVOURITES}[{k}]", vocabulary="genre", in_reference=True,
        )
        for k in range(1, N_USER_GENRES + 1)
    ),
)

_FURTHER = (
    Feature(
        name="user_weak_ties", subject="user", family="relation", kind="number", dtype="int32",
        rule=BEFORE, source=EVENTS, unit="count",
        meaning="users with at least 1 liked film in common",
        formula="coalesce(user_weak_ties, 0)", nullable=False,
    ),
    Feature(
        name="user_strong_ties", subject="user", family="relation", kind="number", dtype="int32",
        rule=BEFORE, source=EVENTS, unit="count",
        meaning=f"users with at least {STRONG_TIE} liked films in common",
        formula="coalesce(user_strong_ties, 0)", nullable=False,
    ),
    Feature(
        name="user_age", subject="user", family="attribute", kind="number", dtype="int16",
        rule=STATIC, source="users.age", unit="years", meaning="age of the user at sign-up",
        formula="age",
    ),
    Feature(
        name="user_gender", subject="user", family="attribute", kind="category", dtype="string",
        rule=STATIC, source="users.gender", meaning="gender of the user",
        formula="gender", vocabulary="gender",
    ),
    Feature(
        name="user_occupation", subject="user", family="attribute", kind="category",
        dtype="string", rule=STATIC, source="users.occupation", meaning="occupation of the user",
        formula="occupation", vocabulary="occupation",
    ),
    *(
        Feature(
            name=f"item_{role}", subject="item", family="content", kind="category",
            dtype="string", rule=STATIC, source="triples",
            meaning=f"{role} of the film, the one with most films",
            formula=role, vocabulary=f"{role}_id",
        )
        for role in ("director", "writer", "actor")
    ),
    Feature(
        name="item_title_words", subject="item", family="content", kind="list", dtype="strings",
        rule=STATIC, source="items.title", meaning="words of the title",
        formula="title_words", vocabulary="word",
    ),
    Feature(
        name="user_region", subject="user", family="context", kind="category", dtype="string",
        rule=STATIC, source="users.zip_code",
        meaning="zip code's first sign: zone of the US, district of Canada",
        formula="nullif(left(zip_code, 1), '')", vocabulary="region",
    ),
    Feature(
        name="hour", subject="event", family="context", kind="number", dtype="int8", rule=EVENT,
        source=TIMES, unit="h, UTC", meaning="hour of the day, 0 to 23",
        formula=f"({TIMESTAMP} % {DAY_S}) / 3600", nullable=False,
    ),
    Feature(
        name="weekday", subject="event", family="context", kind="number", dtype="int8",
        rule=EVENT, source=TIMES, meaning="day of the week, 0 for Monday",
        # 1970 began on a Thursday.
        formula=f"(({TIMESTAMP} / {DAY_S}) + 3) % 7", nullable=False,
    ),
    *(
        feature
        for who in ("user", "item")
        for when in ("first", "last")
        for feature in (
            Feature(
                name=f"{who}_{when}_timestamp", subject=who, family="context", kind="none",
                dtype="int64", rule=BEFORE, source=TIMES, unit="s since 1970, UTC",
                meaning=f"time of the {who}'s {when} rating",
                formula=f"{who}_{when}_timestamp",
            ),
            Feature(
                name=f"{who}_days_since_{when}", subject="event", family="context", kind="number",
                dtype="float32", rule=BEFORE, source=TIMES, unit="days",
                meaning=f"time since the {who}'s {when} rating",
                formula=f"({TIMESTAMP} - {who}_{when}_timestamp) / {DAY_S}",
            ),
        )
    ),
)
# fmt: on

FEATURES: dict[str, Feature] = {feature.name: feature for feature in (*_REFERENCE, *_FURTHER)}
