"""Point-in-time training samples, and the same features as serving reads them, on Spark (S5).

No feature of a sample uses an event at or after the sample's own second. Three quarters of the
MovieLens 100K ratings share user and second with another one, so "before" has to exclude ties:
the windows are RANGE windows over time that end one second before the event, not ROWS windows.

Everything is Spark SQL on columns, without Python row functions, and in bounded space per row:
running sums, a counter for each genre, and the last likes carried along as a fixed struct. Only
what the columns asked for need is computed. The SQL is text: a tree of column objects costs a call
to Java for each of its nodes, more than the work on a small data set.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recsys_lib.features.declarations import (
    FAVOURITES,
    FEATURES,
    LABEL,
    LAST_LIKES,
    MAX_GENRES,
    METADATA,
    N_LIKED_ITEMS,
    N_USER_GENRES,
    STATE,
)
from recsys_lib.features.distributed.ties import tie_events
from recsys_lib.features.feature import ELEMENT, SQL_TYPES
from recsys_lib.features.registry import checked, checked_genres, needed
from recsys_lib.features.tie_break import TIE_BREAK
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER
from recsys_lib.spark.sql import literal

# Running counters of genres lie two in a 64-bit number: half as many sums, and no user gives two
# billion likes.
COUNTER_BITS, GENRES_A_WORD = 32, 2

_SUBJECTS = {ITEM: "item", USER: "user"}


def training_samples(
    interactions: DataFrame,
    items: DataFrame,
    users: DataFrame | None = None,
    columns: list[str] | None = None,
    genres: list[str] | None = None,
) -> DataFrame:
    """Return one sample for each interaction, in no particular order.

    Parameters are those of :func:`recsys_lib.features.training_samples`, as Spark's frames, and
    ``genres``: the different genres of the items, where they are known; else a job finds them.
    """
    columns = checked(columns)
    needs = needed(columns)
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
    """Return the latest features of users and of items, in no particular order."""
    columns = checked(columns)
    needs = needed(columns)
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


def _counted(needs: set[str], items: DataFrame, genres: list[str] | None = None) -> list[str]:
    """Return the genres that need a counter: none, or all there are."""
    if FAVOURITES not in needs:
        return []
    if genres is None:
        rows = items.select(F.explode("genres").alias("genre")).distinct().limit(MAX_GENRES + 2)
        genres = [row.genre for row in rows.collect()]  # null may be one of them
    return checked_genres(genres)


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
            f"if(array_contains(genres, {literal(genre)}), {2 ** (COUNTER_BITS * place)}, 0)"
            for place, genre in enumerate(genres[k : k + GENRES_A_WORD])
        ]
        words[_word(k)] = f"cast({' + '.join(has)} as bigint)"
    return _with_metadata(rows, ITEM, _with(items, words), needs, further=list(words))


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
    columns = {c: kind for c, kind in METADATA[_SUBJECTS[key]].items() if c in needs}
    found = [] if table is None else [c for c in columns if c in table.columns]
    found += further
    if found or (how == "full" and table is not None):
        rows = rows.join(table.select(key, *found), key, how)
    absent = {
        c: f"cast(null as {SQL_TYPES[kind]})" for c, kind in columns.items() if c not in found
    }
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
    kept = STATE[_SUBJECTS[key]]
    counts = [name for name in kept if name in state and kept[name].function == "count"]
    return _with_metadata(latest, key, table, needs, "full").fillna(0, subset=counts)


def _user_history(rows: DataFrame, needs: set[str]) -> DataFrame:
    """Prepare the rows of users' histories: the likes before each like, and the ties as rows.

    ``previous_likes`` is a struct that starts with the place in the history, so the greatest one
    over a history is that of the last like. Rows of ties have no item and no rating.
    """
    history = rows
    if LAST_LIKES in needs:
        # One order serves all windows over users, so that the rows are moved and sorted once. The
        # tie is a column first: Spark knows an order it has by the column, not by the expression.
        history = _with(history, {"tie": TIE_BREAK, "liked_item": f"if({LABEL}, {ITEM}, null)"})
        order = f"over (partition by {USER} order by {TIMESTAMP}, tie)"
        earlier = {
            f"item_{k + 1}": f"lag(liked_item, {k}) ignore nulls {order}"
            for k in range(1, N_LIKED_ITEMS)
        }
        likes = ", ".join(["place", f"{ITEM} as item_1", *earlier])
        history = _with(history, earlier | {"place": f"row_number() {order}"})
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
    state = {name: kept.sql for name, kept in STATE[subject].items() if name in needs}
    if subject == "user":
        if LAST_LIKES in needs:
            state[LAST_LIKES] = "max(previous_likes)"
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
        return _with(rows, {FAVOURITES: "cast(array() as array<string>)"})
    # Count and place in the alphabet as one number each: those sort fast, structs do not. They are
    # negative, because only upwards does Spark sort plain numbers as such.
    keys = (f"{k} - {_likes(k)} * {MAX_GENRES}" for k in range(len(genres)))
    rows = _with(rows, {"genre_keys": f"sort_array(array({', '.join(keys)}))"})
    names_ = f"array({', '.join(map(literal, genres))})"
    firsts = (
        f"if(genre_keys[{k}] < 0, {names_}[cast(pmod(genre_keys[{k}], {MAX_GENRES}) as int)], null)"
        for k in range(min(N_USER_GENRES, len(genres)))
    )
    return _with(rows, {FAVOURITES: f"array({', '.join(firsts)})"})


def _formulas(columns: list[str]) -> list[str]:
    """Return the registry's formulas of the columns, each of the registry's type."""
    formulas = {c: ELEMENT.sub(_element, FEATURES[c].formula) for c in columns}
    return [f"cast({sql} as {SQL_TYPES[FEATURES[c].dtype]}) as {c}" for c, sql in formulas.items()]


def _element(found) -> str:
    """Return SQL for an element of a list; the last likes lie in a struct."""
    name, place = found[1], int(found[2])
    return f"{name}.item_{place}" if name == LAST_LIKES else f"get({name}, {place - 1})"
