"""Point-in-time training samples, and the same features as serving reads them (S5).

No feature of a sample uses an event at or after the sample's own second. Three quarters of the
MovieLens 100K ratings share user and second with another one, so "before" has to exclude ties:
the windows are RANGE windows over time that end one second before the event, not ROWS windows.

Everything is Spark SQL on columns, without Python row functions, and in bounded space per row:
running sums, a counter for each genre, and the last likes carried along as a fixed struct. Only
what the columns asked for need is computed. The SQL is text: a tree of column objects costs a call
to Java for each of its nodes, more than the work on a small data set.
"""

import re
from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recsys_lib.errors import DataError
from recsys_lib.features.registry import (
    FEATURES,
    LABEL,
    N_LIKED_ITEMS,
    N_USER_GENRES,
    STATE,
    checked,
    names,
)
from recsys_lib.features.ties import TIE_BREAK, tie_events
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
        Names in :data:`recsys_lib.features.registry.FEATURES`; by default the reference system's.
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
    # What is known of the item comes after the rows were moved and sorted: until then they are
    # narrow.
    rows = _with(_events(interactions), _strictly_before(ITEM, _state("item", needs, [])))
    rows = _with_item(_user_history(rows, needs), items, needs, genres)
    rows = _with(rows, _strictly_before(USER, _state("user", needs, genres)))
    rows = _with_metadata(rows.where(f"{ITEM} is not null"), USER, users, needs)
    rows = _with_top_genres(rows, genres)
    return rows.selectExpr(*_formulas(columns), *(f"`{name}`" for name in further))


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
    rows = _events(interactions)
    history = _with_item(_user_history(rows, needs), items, needs, genres)
    user_rows = _latest(history, USER, _state("user", needs, genres), users, needs)
    user_rows = _with_top_genres(user_rows, genres)
    item_rows = _latest(rows, ITEM, _state("item", needs, []), items, needs)
    of = {who: [c for c in columns if FEATURES[c].subject == who] for who in ("user", "item")}
    return (
        user_rows.selectExpr(*_formulas([USER, *of["user"]])),
        item_rows.selectExpr(*_formulas([ITEM, *of["item"]])),
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


def _with(rows: DataFrame, sql: dict[str, str]) -> DataFrame:
    """Add columns, given as SQL text by name."""
    if not sql:
        return rows
    return rows.selectExpr("*", *(f"{text} as {name}" for name, text in sql.items()))


def _events(interactions: DataFrame) -> DataFrame:
    """Label each event."""
    return _with(interactions, {LABEL: f"{RATING} >= {LIKE_THRESHOLD}"})


def _with_item(rows: DataFrame, items: DataFrame, needs: set[str], genres: list[str]) -> DataFrame:
    """Join what is known of the item at any time, and the counters its genres add to."""
    words = {}
    for k in range(0, len(genres), GENRES_A_WORD):
        has = [
            f"if(array_contains(genres, {_literal(genre)}), {2 ** (COUNTER_BITS * place)}, 0)"
            for place, genre in enumerate(genres[k : k + GENRES_A_WORD])
        ]
        words[_word(k)] = f"cast({' + '.join(has)} as bigint)"
    return _with_metadata(rows, ITEM, _with(items, words), needs, further=list(words))


def _literal(text: str) -> str:
    """Return the text as SQL writes it."""
    escaped = text.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'"


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
    absent = {c: f"cast(null as {kind})" for c, kind in needed.items() if c not in found}
    return _with(rows, absent)


def _latest(
    rows: DataFrame,
    key: str,
    state: dict[str, str],
    table: DataFrame | None,
    needs: set[str],
) -> DataFrame:
    """Return the state after the last event, for each user or item with an event or metadata."""
    aggregates = (F.expr(f"{text} as {name}") for name, text in state.items())
    latest = rows.groupBy(key).agg(F.count("*"), *aggregates)
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
        history = _with(history, {"tie": TIE_BREAK, "liked_item": f"if({LABEL}, {ITEM}, null)"})
        order = f"over (partition by {USER} order by {TIMESTAMP}, tie)"
        earlier = {
            f"item_{k + 1}": f"lag(liked_item, {k}) ignore nulls {order}"
            for k in range(1, N_LIKED_ITEMS)
        }
        likes = ", ".join([TIMESTAMP, "tie", f"{ITEM} as item_1", *earlier])
        history = _with(history, earlier)
        history = _with(history, {"previous_likes": f"if({LABEL}, struct({likes}), null)"})
    if needs & {"weak_ties", "strong_ties"}:
        ties = tie_events(rows.select(USER, ITEM, RATING, TIMESTAMP))
        history = history.unionByName(ties, allowMissingColumns=True)
    return history


def _strictly_before(subject: str, state: dict[str, str]) -> dict[str, str]:
    """Return the state over the subject's events at earlier seconds than the row's own."""
    window = (
        f"over (partition by {subject} order by {TIMESTAMP} "
        "range between unbounded preceding and 1 preceding)"
    )
    return {name: f"{aggregate} {window}" for name, aggregate in state.items()}


def _state(subject: str, needs: set[str], genres: list[str]) -> dict[str, str]:
    """Return the aggregates of a subject's events that are needed, and for users the genres'."""
    state = {name: text for name, text in STATE[subject].items() if name in needs}
    if subject == "user":
        for k in range(0, len(genres), GENRES_A_WORD):
            state[f"user_{_word(k)}"] = f"sum(if({LABEL}, {_word(k)}, null))"
    return state


def _word(k: int) -> str:
    """Return the column with the counters of the genres from the k-th on, a few to a number."""
    return f"genre_word_{k}"


def _likes(k: int) -> str:
    """Return the user's likes of the k-th genre."""
    first = k - k % GENRES_A_WORD
    shifted = f"shiftright(coalesce(user_{_word(first)}, 0L), {COUNTER_BITS * (k - first)})"
    return f"({shifted} & {2**COUNTER_BITS - 1})"


def _with_top_genres(rows: DataFrame, genres: list[str]) -> DataFrame:
    """Add ``user_genres``: the user's liked ones, most first, equal ones by name; then nulls."""
    if not genres:
        return _with(rows, {"user_genres": "cast(array() as array<string>)"})
    # Count and place in the alphabet as one number each: those sort fast, structs do not. They are
    # negative, because only upwards does Spark sort plain numbers as such.
    keys = (f"{k} - {_likes(k)} * {MAX_GENRES}" for k in range(len(genres)))
    rows = _with(rows, {"genre_keys": f"sort_array(array({', '.join(keys)}))"})
    names_ = f"array({', '.join(map(_literal, genres))})"
    firsts = (
        f"if(genre_keys[{k}] < 0, {names_}[cast(pmod(genre_keys[{k}], {MAX_GENRES}) as int)], null)"
        for k in range(min(N_USER_GENRES, len(genres)))
    )
    return _with(rows, {"user_genres": f"array({', '.join(firsts)})"})


def _formulas(columns: list[str]) -> list[str]:
    """Return the columns as SQL text, each of the registry's type."""
    return [
        f"cast({FEATURES[c].formula} as {SQL_TYPES[FEATURES[c].dtype]}) as {c}" for c in columns
    ]
