"""The registry: the features of a training sample, each defined once.

One :class:`Feature` says what a column means, where it comes from, when its value is known and
how it is computed. The samples, the serving tables, the inputs of the models and the
documentation are all read from here. Nothing heavy is imported: formulas are SQL text.

A formula is written over *state* columns (:data:`STATE`): running aggregates of a user's or an
item's events. Samples take the state strictly before the event (a window), serving takes the
state after the last event (a group). The formula is the same, so the two cannot drift apart.
"""

import pyarrow as pa

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.features.feature import BEFORE, EVENT, STATIC, Feature, mean, moments, stddev
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER

LABEL = "label"
N_ITEM_GENRES = 3
N_LIKED_ITEMS = 5
N_USER_GENRES = 5
STRONG_TIE = 5  # films two users both liked, for their tie to be a strong one

# Years are summed relative to this one: the sums stay small, so that their squares stay exact.
YEAR_ORIGIN = 2000
DAY_S = 86_400

# Running aggregates by subject: name -> SQL over one subject's events. `previous_likes` is the
# event's own item and the likes before it (see samples.py), so its greatest element over a
# history holds the history's last likes, in bounded space. Of ties, each row tells how many
# were formed at its second (see relations.py).
STATE: dict[str, dict[str, str]] = {
    "item": {
        **moments("item_rating", RATING),
        "item_first_timestamp": f"min({TIMESTAMP})",
        "item_last_timestamp": f"max({TIMESTAMP})",
    },
    "user": {
        **moments("user_rating", RATING),
        **moments("user_year", f"(release_year - {YEAR_ORIGIN})"),
        "user_last_likes": "max(previous_likes)",
        "user_first_timestamp": f"min(if({RATING} is null, null, {TIMESTAMP}))",
        "user_last_timestamp": f"max(if({RATING} is null, null, {TIMESTAMP}))",
        "user_weak_ties": "sum(weak_ties)",
        "user_strong_ties": "sum(strong_ties)",
    },
}

_EXPLICIT, _IMPLICIT = "explicit behaviour", "implicit behaviour"
_RATINGS, _EVENTS = "interactions.rating", "interactions"


def _days_since(moment: str) -> str:
    return f"({TIMESTAMP} - {moment}) / {DAY_S}"


# fmt: off
_REFERENCE = (
    Feature(USER, "event", "key", "category", "int64", EVENT, "interactions.user_id", "",
            "the user", USER, "user_id", nullable=False),
    Feature(ITEM, "event", "key", "category", "int64", EVENT, "interactions.item_id", "",
            "the item", ITEM, "item_id", nullable=False),
    Feature(RATING, "event", "target", "none", "float32", EVENT, _RATINGS, "stars",
            "explicit rating", RATING, nullable=False),
    Feature(TIMESTAMP, "event", "context", "none", "int64", EVENT, "interactions.timestamp",
            "s since 1970, UTC", "time of the event", TIMESTAMP, nullable=False),
    Feature(LABEL, "event", "target", "none", "int8", EVENT, _RATINGS, "",
            f"1 for a like: a rating of {LIKE_THRESHOLD} stars or more", LABEL, nullable=False),
    Feature("release_year", "item", "attribute", "number", "int16", STATIC, "items.release_year",
            "year", "year of release", "release_year"),
    *(
        Feature(f"item_genre_{k}", "item", "attribute", "category", "string", STATIC,
                "items.genres", "", f"genre {k} of the item, as listed", f"get(genres, {k - 1})",
                "genre")
        for k in range(1, N_ITEM_GENRES + 1)
    ),
    Feature("item_rating_count", "item", _IMPLICIT, "number", "int32", BEFORE, _RATINGS,
            "count", "ratings the item has received", "item_rating_count", nullable=False),
    Feature("item_rating_mean", "item", _EXPLICIT, "number", "float32", BEFORE, _RATINGS,
            "stars", "mean of the item's ratings", mean("item_rating")),
    Feature("item_rating_stddev", "item", _EXPLICIT, "number", "float32", BEFORE, _RATINGS,
            "stars", "standard deviation of the item's ratings", stddev("item_rating")),
    *(
        Feature(f"user_liked_item_{k}", "user", _EXPLICIT, "category", "int64", BEFORE,
                _EVENTS, "", f"item the user liked last but {k - 1}" if k > 1
                else "item the user liked last", f"user_last_likes.item_{k}", "item_id")
        for k in range(1, N_LIKED_ITEMS + 1)
    ),
    Feature("user_rating_count", "user", _IMPLICIT, "number", "int32", BEFORE, _RATINGS,
            "count", "ratings the user has given", "user_rating_count", nullable=False),
    Feature("user_rating_mean", "user", _EXPLICIT, "number", "float32", BEFORE, _RATINGS,
            "stars", "mean of the user's ratings", mean("user_rating")),
    Feature("user_rating_stddev", "user", _EXPLICIT, "number", "float32", BEFORE, _RATINGS,
            "stars", "standard deviation of the user's ratings", stddev("user_rating")),
    Feature("user_release_year_mean", "user", _IMPLICIT, "number", "float32", BEFORE,
            f"{_EVENTS}, items.release_year", "year", "mean release year of what the user rated",
            mean("user_year", YEAR_ORIGIN)),
    Feature("user_release_year_stddev", "user", _IMPLICIT, "number", "float32", BEFORE,
            f"{_EVENTS}, items.release_year", "years", "standard deviation of those years",
            stddev("user_year")),
    *(
        Feature(f"user_genre_{k}", "user", _EXPLICIT, "category", "string", BEFORE,
                f"{_EVENTS}, items.genres", "", f"genre {k} by number of liked items",
                f"get(user_genres, {k - 1})", "genre")
        for k in range(1, N_USER_GENRES + 1)
    ),
)


def _further(*told, vocabulary: str | None = None, nullable: bool = True) -> Feature:
    return Feature(*told, vocabulary, nullable, in_reference=False)


_FURTHER = (
    _further("user_weak_ties", "user", "relation", "number", "int32", BEFORE, _EVENTS, "count",
             "users with at least 1 liked film in common", "coalesce(user_weak_ties, 0)",
             nullable=False),
    _further("user_strong_ties", "user", "relation", "number", "int32", BEFORE, _EVENTS, "count",
             f"users with at least {STRONG_TIE} liked films in common",
             "coalesce(user_strong_ties, 0)", nullable=False),
    _further("user_age", "user", "attribute", "number", "int16", STATIC, "users.age", "years",
             "age of the user at sign-up", "age"),
    _further("user_gender", "user", "attribute", "category", "string", STATIC, "users.gender", "",
             "gender of the user", "gender", vocabulary="gender"),
    _further("user_occupation", "user", "attribute", "category", "string", STATIC,
             "users.occupation", "", "occupation of the user", "occupation",
             vocabulary="occupation"),
    *(
        _further(f"item_{role}", "item", "content", "category", "string", STATIC, "triples", "",
                 f"{told} of the film, the one with most films", role, vocabulary=f"{role}_id")
        for role, told in (("director", "director"), ("writer", "writer"), ("actor", "actor"))
    ),
    _further("item_title_words", "item", "content", "list", "strings", STATIC, "items.title", "",
             "words of the title", "title_words", vocabulary="word"),
    _further("user_region", "user", "context", "category", "string", STATIC, "users.zip_code", "",
             "zip code's first sign: zone of the US, district of Canada",
             "nullif(substring(zip_code, 1, 1), '')", vocabulary="region"),
    _further("hour", "event", "context", "number", "int8", EVENT, "interactions.timestamp",
             "h, UTC", "hour of the day, 0 to 23", f"({TIMESTAMP} % {DAY_S}) / 3600",
             nullable=False),
    # 1970 began on a Thursday.
    _further("weekday", "event", "context", "number", "int8", EVENT, "interactions.timestamp", "",
             "day of the week, 0 for Monday", f"(({TIMESTAMP} / {DAY_S}) + 3) % 7",
             nullable=False),
    *(
        feature
        for who in ("user", "item")
        for when in ("first", "last")
        for feature in (
            _further(f"{who}_{when}_timestamp", who, "context", "none", "int64", BEFORE,
                     "interactions.timestamp", "s since 1970, UTC",
                     f"time of the {who}'s {when} rating", f"{who}_{when}_timestamp"),
            _further(f"{who}_days_since_{when}", "event", "context", "number", "float32", BEFORE,
                     "interactions.timestamp", "days", f"time since the {who}'s {when} rating",
                     _days_since(f"{who}_{when}_timestamp")),
        )
    ),
)
# fmt: on

FEATURES: dict[str, Feature] = {feature.name: feature for feature in (*_REFERENCE, *_FURTHER)}


def names(
    subject: str | None = None, kind: str | None = None, *, all_families: bool = False
) -> list[str]:
    """Return the names of the columns, in their order, of one subject or kind or of both.

    Those are the reference system's columns, which samples have by default; with
    ``all_families`` they are all columns of the registry.

    >>> names("item", "category")
    ['item_genre_1', 'item_genre_2', 'item_genre_3']
    """
    for value, attribute in ((subject, "subject"), (kind, "kind")):
        known = {getattr(feature, attribute) for feature in FEATURES.values()}
        if value is not None and value not in known:
            raise RecsysError(f"No feature has the {attribute} {value!r}.{nearest(value, known)}")
    return [
        feature.name
        for feature in FEATURES.values()
        if subject in (None, feature.subject)
        and kind in (None, feature.kind)
        and (all_families or feature.in_reference)
    ]


def checked(columns: list[str]) -> list[str]:
    """Return the columns, each of which must be in the registry and be named once.

    Raises
    ------
    RecsysError
        A column is not in the registry, or stands twice.
    """
    for column in columns:
        if column not in FEATURES:
            raise RecsysError(f"No feature is called {column!r}.{nearest(column, FEATURES)}")
        if columns.count(column) > 1:
            raise RecsysError(f"The feature {column!r} is named twice.")
    return list(columns)


def arrow_schema(columns: list[str]) -> pa.Schema:
    """Return the types of the named columns, for Parquet and for the serving tables."""
    types = {"string": pa.string(), "strings": pa.list_(pa.string()), "float32": pa.float32()}
    return pa.schema(
        [
            pa.field(
                c,
                types.get(FEATURES[c].dtype) or getattr(pa, FEATURES[c].dtype)(),
                nullable=FEATURES[c].nullable,
            )
            for c in columns
        ]
    )


def documentation(columns: list[str] | None = None):
    """Return the registry as a table for people: a DataFrame, one row a column (default: all)."""
    import pandas as pd

    shown = (
        "name", "subject", "family", "kind", "dtype", "unit", "rule", "source", "meaning",
        "in_reference",
    )  # fmt: skip
    chosen = [FEATURES[c] for c in checked(columns or list(FEATURES))]
    return pd.DataFrame([{c: getattr(feature, c) for c in shown} for feature in chosen])
