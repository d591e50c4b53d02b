"""The features of a training sample, each defined once.

One :class:`Feature` says what a column means, where it comes from, when its value is known and
how it is computed. The samples, the serving tables, the inputs of the models and the
documentation are all read from here. Nothing heavy is imported: formulas are SQL text.

A formula is written over *state* columns (:data:`STATE`): running aggregates of a user's or an
item's events. Samples take the state strictly before the event (a window), serving takes the
state after the last event (a group). The formula is the same, so the two cannot drift apart.
"""

from dataclasses import dataclass

import pyarrow as pa

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER

LABEL = "label"
N_ITEM_GENRES = 3
N_LIKED_ITEMS = 5
N_USER_GENRES = 5

# Years are summed relative to this one: the sums stay small, so that their squares stay exact.
YEAR_ORIGIN = 2000

EVENT, BEFORE, STATIC = "of the event itself", "events strictly before", "known at any time"


@dataclass(frozen=True)
class Feature:
    """One column of a training sample.

    Attributes
    ----------
    name : str
        Column name.
    subject : str
        Whom it describes, and so which serving table holds it: ``event``, ``item`` or ``user``.
    family : str
        The notes' feature family (S2): behaviour (行为), relation (关系), attribute (属性),
        content (内容) or context (场景); ``key`` and ``target`` are no features.
    kind : str
        How a model takes it: ``number``, ``category``, or ``none`` (not an input).
    dtype : str
        ``int8``, ``int16``, ``int32``, ``int64``, ``float32`` or ``string``.
    rule : str
        Which events may enter the value: :data:`EVENT`, :data:`BEFORE` or :data:`STATIC`.
    source : str
        Table and column it is made from.
    meaning : str
        One line for people, with the unit in brackets where there is one.
    formula : str
        Spark SQL over the columns of the event, the item and the state.
    vocabulary : str or None
        Categories that share one vocabulary (and one embedding table) name the same one:
        ``user_id``, ``item_id`` or ``genre``.
    nullable : bool
        Whether a value may be missing; a count without an event is 0, not missing.
    """

    name: str
    subject: str
    family: str
    kind: str
    dtype: str
    rule: str
    source: str
    meaning: str
    formula: str
    vocabulary: str | None = None
    nullable: bool = True


def _mean(values: str, origin: int = 0) -> str:
    """Return SQL for the mean of what :func:`_moments` counted; null without a value."""
    mean = f"{values}_sum / nullif({values}_count, 0)"
    return f"{origin} + {mean}" if origin else mean


def _stddev(values: str) -> str:
    """Return SQL for the sample standard deviation (n - 1 below); null below two values."""
    n, total, squares = f"{values}_count", f"{values}_sum", f"{values}_squares"
    spread = f"greatest({squares} - {total} * {total} / nullif({n}, 0), 0)"
    return f"case when {n} > 1 then sqrt({spread} / nullif({n} - 1, 0)) end"


def _moments(values: str, column: str) -> dict[str, str]:
    """Return aggregates that give mean and deviation.

    Sums of whole and half stars, and of years, are exact in double precision. So the result
    does not depend on the order in which Spark adds, and equals the one a group gives.
    """
    value = f"cast({column} as double)"
    return {
        f"{values}_count": f"count({column})",
        f"{values}_sum": f"sum({value})",
        f"{values}_squares": f"sum({value} * {value})",
    }


# Running aggregates by subject: name -> SQL over one subject's events. `previous_likes` is the
# event's own item and the likes before it (see samples.events), so its greatest element over a
# history holds the history's last likes, in bounded space.
STATE: dict[str, dict[str, str]] = {
    "item": _moments("item_rating", RATING),
    "user": {
        **_moments("user_rating", RATING),
        **_moments("user_year", f"(release_year - {YEAR_ORIGIN})"),
        "user_last_likes": "max(previous_likes)",
    },
}

# fmt: off
_ALL = (
    Feature(USER, "event", "key", "category", "int64", EVENT, "interactions.user_id",
            "the user", USER, "user_id", nullable=False),
    Feature(ITEM, "event", "key", "category", "int64", EVENT, "interactions.item_id",
            "the item", ITEM, "item_id", nullable=False),
    Feature(RATING, "event", "target", "none", "float32", EVENT, "interactions.rating",
            "explicit rating (stars)", RATING, nullable=False),
    Feature(TIMESTAMP, "event", "context", "none", "int64", EVENT, "interactions.timestamp",
            "time of the event (s since 1970, UTC)", TIMESTAMP, nullable=False),
    Feature(LABEL, "event", "target", "none", "int8", EVENT, "interactions.rating",
            f"1 for a like: a rating of {LIKE_THRESHOLD} stars or more", LABEL, nullable=False),
    Feature("release_year", "item", "attribute", "number", "int16", STATIC, "items.release_year",
            "year of release (year)", "release_year"),
    *(
        Feature(f"item_genre_{k}", "item", "attribute", "category", "string", STATIC,
                "items.genres", f"genre {k} of the item, as listed", f"get(genres, {k - 1})",
                "genre")
        for k in range(1, N_ITEM_GENRES + 1)
    ),
    Feature("item_rating_count", "item", "behaviour", "number", "int32", BEFORE,
            "interactions.rating", "ratings the item has received (count)", "item_rating_count",
            nullable=False),
    Feature("item_rating_mean", "item", "behaviour", "number", "float32", BEFORE,
            "interactions.rating", "their mean (stars)", _mean("item_rating")),
    Feature("item_rating_stddev", "item", "behaviour", "number", "float32", BEFORE,
            "interactions.rating", "their standard deviation (stars)", _stddev("item_rating")),
    *(
        Feature(f"user_liked_item_{k}", "user", "behaviour", "category", "int64", BEFORE,
                "interactions", f"item the user liked last but {k - 1}" if k > 1
                else "item the user liked last", f"user_last_likes.item_{k}", "item_id")
        for k in range(1, N_LIKED_ITEMS + 1)
    ),
    Feature("user_rating_count", "user", "behaviour", "number", "int32", BEFORE,
            "interactions.rating", "ratings the user has given (count)", "user_rating_count",
            nullable=False),
    Feature("user_rating_mean", "user", "behaviour", "number", "float32", BEFORE,
            "interactions.rating", "their mean (stars)", _mean("user_rating")),
    Feature("user_rating_stddev", "user", "behaviour", "number", "float32", BEFORE,
            "interactions.rating", "their standard deviation (stars)", _stddev("user_rating")),
    Feature("user_release_year_mean", "user", "behaviour", "number", "float32", BEFORE,
            "interactions, items.release_year", "mean release year of what the user rated (year)",
            _mean("user_year", YEAR_ORIGIN)),
    Feature("user_release_year_stddev", "user", "behaviour", "number", "float32", BEFORE,
            "interactions, items.release_year", "its standard deviation (years)",
            _stddev("user_year")),
    *(
        Feature(f"user_genre_{k}", "user", "behaviour", "category", "string", BEFORE,
                "interactions, items.genres", f"genre {k} by number of liked items",
                f"get(user_genres, {k - 1})", "genre")
        for k in range(1, N_USER_GENRES + 1)
    ),
)
# fmt: on

FEATURES: dict[str, Feature] = {feature.name: feature for feature in _ALL}


def names(subject: str | None = None, kind: str | None = None) -> list[str]:
    """Return the names of the columns, in their order, of one subject or kind or of all.

    >>> names("item", "category")
    ['item_genre_1', 'item_genre_2', 'item_genre_3']
    """
    for value, attribute in ((subject, "subject"), (kind, "kind")):
        known = {getattr(feature, attribute) for feature in _ALL}
        if value is not None and value not in known:
            raise RecsysError(f"No feature has the {attribute} {value!r}.{nearest(value, known)}")
    return [
        feature.name
        for feature in _ALL
        if subject in (None, feature.subject) and kind in (None, feature.kind)
    ]


def arrow_schema(columns: list[str]) -> pa.Schema:
    """Return the types of the named columns, for Parquet and for the serving tables."""
    types = {"string": pa.string(), "float32": pa.float32()}
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


def documentation():
    """Return the registry as a table for people: a DataFrame, one row a column of the sample."""
    import pandas as pd

    shown = ("name", "subject", "family", "kind", "dtype", "rule", "source", "meaning")
    return pd.DataFrame([{c: getattr(feature, c) for c in shown} for feature in _ALL])
