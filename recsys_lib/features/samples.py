"""Point-in-time training samples, and the same features as serving reads them (S5).

No feature of a sample uses an event at or after the sample's own second. Three quarters of the
MovieLens 100K ratings share user and second with another one, so "before" has to exclude ties:
the windows are RANGE windows over time that end one second before the event, not ROWS windows.

Everything is Spark SQL on columns, without Python row functions, and in bounded space per row:
running sums, a counter for each genre, and the last likes carried along as a fixed struct. Only
what the columns asked for need is computed.
"""

import re
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recsys_lib.errors import DataError
from recsys_lib.features.columns import (
    FEATURES,
    LABEL,
    N_LIKED_ITEMS,
    N_USER_GENRES,
    STATE,
    checked,
    names,
)
from recsys_lib.features.relations import tie_break, tie_events
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER

# One running counter per genre is kept. MovieLens has 18 to 20; a data set with thousands of
# free tags in `genres` must choose which of them are genres.
MAX_GENRES = 100

# Running counters of genres lie two in a 64-bit number: half as many sums, and no user gives two
# billion likes.
COUNTER_BITS, GENRES_A_WORD = 32, 2

SQL_TYPES = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float32": "float",
    "string": "string",
    "strings": "array<string>",
}

# What formulas read of an item and of a user. A table that lacks one of them gives nulls.
_METADATA = {
    ITEM: {
        "release_year": "smallint",
        "genres": "array<string>",
        "director": "string",
        "writer": "string",
        "actor": "string",
        "title_words": "array<string>",
    },
    USER: {
        "age": "smallint",
        "gender": "string",
        "occupation": "string",
        "zip_code": "string",
    },
}


def training_samples(
    interactions: DataFrame,
    items: DataFrame,
    users: DataFrame | None = None,
    columns: list[str] | None = None,
    genres: list[str] | None = None,
) -> DataFrame:
    """Return one sample for each interaction, with features of the time strictly before it.

    Parameters
    ----------
    interactions : pyspark.sql.DataFrame
        ``user_id``, ``item_id``, ``rating``, ``timestamp`` as in
        :data:`recsys_lib.schema.INTERACTIONS`; further columns are handed through.
    items : pyspark.sql.DataFrame
        ``item_id``, ``release_year``, ``genres``, one row an item; for the content family as
        :func:`recsys_lib.features.with_content` returns them. An item that is missing here has
        null metadata.
    users : pyspark.sql.DataFrame, optional
        As in :data:`recsys_lib.schema.USERS`. Without it what is said of users is null.
    columns : list of str, optional
        Names in :data:`recsys_lib.features.columns.FEATURES`; by default the reference system's.
    genres : list of str, optional
        :func:`genre_vocabulary` of the items, where it is known; else a job of Spark's finds it.

    Returns
    -------
    pyspark.sql.DataFrame
        ``columns``, then the further columns. Counts without an event are 0; means, last likes
        and genres without one are null, and so is a standard deviation of fewer than two
        ratings. Rows are in no particular order.

    Raises
    ------
    RecsysError
        A column is not in the registry, or stands twice.
    DataError
        More than :data:`MAX_GENRES` different genres.
    """
    columns = checked(names() if columns is None else columns)
    needs = _needs(columns)
    genres = _counted(needs, items, genres)
    further = [c for c in interactions.columns if c not in (USER, ITEM, RATING, TIMESTAMP)]
    rows = _events(interactions, items, needs, genres)
    # The item's window comes first, while the rows are still narrow to move and sort.
    rows = rows.withColumns(_over(_state("item", needs, []), _strictly_before(ITEM)))
    rows = _user_history(rows, needs)
    rows = rows.withColumns(_over(_state("user", needs, genres), _strictly_before(USER)))
    rows = _with_metadata(rows.where(f"{ITEM} is not null"), USER, users, needs)
    return rows.withColumn("user_genres", _top_genres(genres)).select(*_formulas(columns), *further)


def serving_features(
    interactions: DataFrame,
    items: DataFrame,
    users: DataFrame | None = None,
    columns: list[str] | None = None,
) -> tuple[DataFrame, DataFrame]:
    """Return the latest features: what a sample one moment after the last event would hold.

    Parameters
    ----------
    interactions, items, users, columns
        As for :func:`training_samples`; columns of the event are left to
        :func:`recsys_lib.features.request_features`.

    Returns
    -------
    users : pyspark.sql.DataFrame
        ``user_id`` and the user features, one row for each user with metadata or an event.
    items : pyspark.sql.DataFrame
        ``item_id`` and the item features, one row for each item with metadata or an event.
    """
    columns = checked(names() if columns is None else columns)
    needs = _needs(columns)
    genres = _counted(needs, items)
    rows = _events(interactions, items, needs, genres)
    history = _user_history(rows, needs)
    user_rows = _latest(history, USER, _state("user", needs, genres), users, needs)
    user_rows = user_rows.withColumn("user_genres", _top_genres(genres))
    item_rows = _latest(rows, ITEM, _state("item", needs, []), items, needs)
    of = {who: [c for c in columns if FEATURES[c].subject == who] for who in ("user", "item")}
    return (
        user_rows.select(*_formulas([USER, *of["user"]])),
        item_rows.select(*_formulas([ITEM, *of["item"]])),
    )


def genre_vocabulary(items: DataFrame) -> list[str]:
    """Return the different genres of the items in alphabetical order."""
    rows = items.select(F.explode("genres").alias("genre")).distinct().limit(MAX_GENRES + 1)
    return sorted(row.genre for row in rows.collect() if row.genre is not None)


def _counted(needs: set[str], items: DataFrame, genres: list[str] | None = None) -> list[str]:
    """Return the genres that need a counter: none, or all there are."""
    if "user_genres" not in needs:
        return []
    genres = genre_vocabulary(items) if genres is None else genres
    if len(genres) > MAX_GENRES:
        raise DataError(
            f"The items have more than {MAX_GENRES} different genres; user_genre_* counts each. "
            "Keep the coarse ones in `genres`."
        )
    return genres


def _needs(columns: list[str]) -> set[str]:
    """Return all names that the columns' formulas read, those of their states included."""
    names_in = re.compile(r"[a-z]\w*").findall
    needs = {name for c in columns for name in names_in(FEATURES[c].formula)}
    for state in STATE.values():
        needs |= {name for key in needs & state.keys() for name in names_in(state[key])}
    return needs


def _events(
    interactions: DataFrame, items: DataFrame, needs: set[str], genres: list[str]
) -> DataFrame:
    """Join each event with its label and what is known of its item at any time."""
    liked = (F.col(RATING) >= LIKE_THRESHOLD).cast(SQL_TYPES[FEATURES[LABEL].dtype])
    words = {
        _word(k): sum(
            F.coalesce(F.array_contains("genres", genre), F.lit(False)).cast("bigint")
            * 2 ** (COUNTER_BITS * place)
            for place, genre in enumerate(genres[k : k + GENRES_A_WORD])
        )
        for k in range(0, len(genres), GENRES_A_WORD)
    }
    rows = interactions.withColumn(LABEL, liked)
    return _with_metadata(rows, ITEM, items.withColumns(words), needs, further=list(words))


def _with_metadata(
    rows: DataFrame,
    key: str,
    table: DataFrame | None,
    needs: set[str],
    how: str = "left",
    further: Sequence[str] = (),
) -> DataFrame:
    """Join what is known of items or users at any time; columns that are not there are null.

    Of the table come the columns needed, and the ``further`` ones.
    """
    needed = {c: kind for c, kind in _METADATA[key].items() if c in needs}
    found = [] if table is None else [c for c in needed if c in table.columns]
    found += further
    if found or (how == "full" and table is not None):
        rows = rows.join(table.select(key, *found), key, how)
    return rows.withColumns({c: F.lit(None).cast(needed[c]) for c in needed if c not in found})


def _latest(
    rows: DataFrame,
    key: str,
    state: dict[str, Column],
    table: DataFrame | None,
    needs: set[str],
) -> DataFrame:
    """Return the state after the last event, for each user or item with an event or metadata."""
    latest = rows.groupBy(key).agg(
        F.count("*"), *(aggregate.alias(name) for name, aggregate in state.items())
    )
    counts = [c for c in state if c in FEATURES and not FEATURES[c].nullable]
    return _with_metadata(latest, key, table, needs, "full").fillna(0, subset=counts)


def _user_history(rows: DataFrame, needs: set[str]) -> DataFrame:
    """Prepare the rows of users' histories: the likes before each like, and the ties as rows.

    ``previous_likes`` is a struct that starts with time and tie-break, so the greatest one over a
    history is that of the last like. Rows of ties have no item and no rating.
    """
    history = rows
    if "previous_likes" in needs:
        # One order serves all windows over users, so that the rows are moved and sorted once. The
        # tie is a column first: Spark knows an order it has by the column, not by the expression.
        history = history.withColumns(
            {"tie": tie_break(), "liked_item": F.when(F.col(LABEL) == 1, F.col(ITEM))}
        )
        order = f"OVER (PARTITION BY {USER} ORDER BY {TIMESTAMP}, tie)"
        earlier = {
            f"item_{k + 1}": F.expr(f"lag(liked_item, {k}) IGNORE NULLS {order}")
            for k in range(1, N_LIKED_ITEMS)
        }
        history = history.withColumns(earlier)
        chain = F.struct(TIMESTAMP, "tie", F.col(ITEM).alias("item_1"), *earlier)
        history = history.withColumn("previous_likes", F.when(F.col(LABEL) == 1, chain))
    if needs & {"weak_ties", "strong_ties"}:
        ties = tie_events(rows.select(USER, ITEM, RATING, TIMESTAMP))
        history = history.unionByName(ties, allowMissingColumns=True)
    return history


def _strictly_before(subject: str):
    """Return the window of the subject's events at earlier seconds than the row's own."""
    window = Window.partitionBy(subject).orderBy(TIMESTAMP)
    return window.rangeBetween(Window.unboundedPreceding, -1)


def _over(state: dict[str, Column], window) -> dict[str, Column]:
    return {name: aggregate.over(window) for name, aggregate in state.items()}


def _state(subject: str, needs: set[str], genres: list[str]) -> dict[str, Column]:
    """Return the aggregates of a subject's events that are needed, and for users the genres'."""
    state = {name: F.expr(sql) for name, sql in STATE[subject].items() if name in needs}
    if subject == "user":
        for k in range(0, len(genres), GENRES_A_WORD):
            state[f"user_{_word(k)}"] = F.sum(F.when(F.col(LABEL) == 1, F.col(_word(k))))
    return state


def _word(k: int) -> str:
    """Return the column with the counters of the genres from the k-th on, a few to a number."""
    return f"genre_word_{k}"


def _likes(k: int) -> Column:
    """Return the user's likes of the k-th genre."""
    first = k - k % GENRES_A_WORD
    word = F.coalesce(F.col(f"user_{_word(first)}"), F.lit(0))
    shifted = F.shiftright(word, COUNTER_BITS * (k - first))
    return shifted.bitwiseAND(F.lit(2**COUNTER_BITS - 1))


def _top_genres(genres: list[str]) -> Column:
    """Return the genres of the user's likes, then nulls: most first, equal ones by name."""
    if not genres:
        return F.array().cast("array<string>")
    # Count and place in the alphabet as one number each: those sort fast, structs do not. They are
    # negative, because only upwards does Spark sort plain numbers as such.
    keys = F.sort_array(F.array(*(k - _likes(k) * MAX_GENRES for k in range(len(genres)))))
    names_ = F.array(*(F.lit(genre) for genre in genres))
    firsts = [F.get(keys, F.lit(place)) for place in range(min(N_USER_GENRES, len(genres)))]
    place_of = [F.pmod(key, F.lit(MAX_GENRES)).cast("int") for key in firsts]
    return F.array(
        *(F.when(key < 0, F.get(names_, k)) for key, k in zip(firsts, place_of, strict=True))
    )


def _formulas(columns: list[str]) -> list[Column]:
    return [
        F.expr(FEATURES[c].formula).cast(SQL_TYPES[FEATURES[c].dtype]).alias(c) for c in columns
    ]
