"""Point-in-time training samples, and the same features as serving reads them (S5).

No feature of a sample uses an event at or after the sample's own second. Three quarters of the
MovieLens 100K ratings share user and second with another one, so "before" has to exclude ties:
the windows are RANGE windows over time that end one second before the event, not ROWS windows.

Everything is Spark SQL on columns, without Python row functions, and in bounded space per row:
running sums, one counter a genre, and the last likes carried along as a fixed struct.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recsys_lib.errors import DataError
from recsys_lib.features.columns import (
    FEATURES,
    LABEL,
    N_LIKED_ITEMS,
    N_USER_GENRES,
    STATE,
    names,
)
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER
from recsys_lib.seeding import DEFAULT_SEED

# One running counter per genre is kept. MovieLens has 18 to 20; a data set with thousands of
# free tags in `genres` must choose which of them are genres.
MAX_GENRES = 100

SQL_TYPES = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float32": "float",
    "string": "string",
}


def training_samples(interactions: DataFrame, items: DataFrame) -> DataFrame:
    """Return one sample for each interaction, with features of the time strictly before it.

    Parameters
    ----------
    interactions : pyspark.sql.DataFrame
        ``user_id``, ``item_id``, ``rating``, ``timestamp`` as in
        :data:`recsys_lib.schema.INTERACTIONS`; further columns are handed through.
    items : pyspark.sql.DataFrame
        ``item_id``, ``release_year``, ``genres``, one row an item. An item that is missing here
        has null metadata.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of :data:`recsys_lib.features.columns.FEATURES`, then the further columns.
        Counts without an event are 0; means, last likes and genres without one are null, and so
        is a standard deviation of fewer than two ratings. Rows are in no particular order.

    Raises
    ------
    DataError
        More than :data:`MAX_GENRES` different genres.
    """
    genres = genre_vocabulary(items)
    further = [c for c in interactions.columns if c not in (USER, ITEM, RATING, TIMESTAMP)]
    rows = _events(interactions, items)
    # The item's window comes first, while the rows are still narrow to move and sort.
    rows = rows.withColumns(_over(_item_state(), _strictly_before(ITEM)))
    rows = _with_previous_likes(rows)
    rows = rows.withColumns(_over(_user_state(genres), _strictly_before(USER)))
    return rows.withColumn("user_genres", _top_genres(genres)).select(*_formulas(names()), *further)


def serving_features(interactions: DataFrame, items: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Return the latest features: what a sample one moment after the last event would hold.

    Parameters
    ----------
    interactions, items : pyspark.sql.DataFrame
        As for :func:`training_samples`.

    Returns
    -------
    users : pyspark.sql.DataFrame
        ``user_id`` and the user features, one row for each user with an event.
    items : pyspark.sql.DataFrame
        ``item_id`` and the item features, one row for each item with metadata or an event.
    """
    genres = genre_vocabulary(items)
    rows = _events(interactions, items)
    users = (
        _with_previous_likes(rows)
        .groupBy(USER)
        .agg(*(state.alias(name) for name, state in _user_state(genres).items()))
        .withColumn("user_genres", _top_genres(genres))
    )
    state = _item_state()
    item_rows = (
        rows.groupBy(ITEM)
        .agg(*(column.alias(name) for name, column in state.items()))
        .join(items.select(ITEM, "release_year", "genres"), ITEM, "full")
        .fillna(0, subset=["item_rating_count"])  # an item that nobody has rated
    )
    return (
        users.select(*_formulas([USER, *names("user")])),
        item_rows.select(*_formulas([ITEM, *names("item")])),
    )


def genre_vocabulary(items: DataFrame) -> list[str]:
    """Return the different genres of the items in alphabetical order."""
    rows = items.select(F.explode("genres").alias("genre")).distinct().limit(MAX_GENRES + 1)
    found = sorted(row.genre for row in rows.collect() if row.genre is not None)
    if len(found) > MAX_GENRES:
        raise DataError(
            f"The items have more than {MAX_GENRES} different genres; user_genre_* counts each. "
            "Keep the coarse ones in `genres`."
        )
    return found


def _events(interactions: DataFrame, items: DataFrame) -> DataFrame:
    """Join each event with its label and what is known of its item at any time."""
    return interactions.withColumn(
        LABEL, (F.col(RATING) >= LIKE_THRESHOLD).cast(SQL_TYPES[FEATURES[LABEL].dtype])
    ).join(items.select(ITEM, "release_year", "genres"), ITEM, "left")


def _with_previous_likes(rows: DataFrame) -> DataFrame:
    """Add ``previous_likes``: for a like, its item and the user's likes before it; else null.

    The struct starts with time and tie-breaker, so the greatest one over a history is that of
    the last like. Likes of one second are ordered by a hash of user and item: the order of
    the rows means nothing, and the order of the ids would leak the age of the films.
    """
    # One order serves all windows over users, so that the rows are moved and sorted once. The tie
    # is a column first: Spark recognises an order it has by the column, not by the expression.
    rows = rows.withColumns(
        {
            "tie": F.xxhash64(F.lit(DEFAULT_SEED), USER, ITEM),
            "liked_item": F.when(F.col(LABEL) == 1, F.col(ITEM)),
        }
    )
    order = f"OVER (PARTITION BY {USER} ORDER BY {TIMESTAMP}, tie)"
    earlier = {
        f"item_{k + 1}": F.expr(f"lag(liked_item, {k}) IGNORE NULLS {order}")
        for k in range(1, N_LIKED_ITEMS)
    }
    rows = rows.withColumns(earlier)
    chain = F.struct(TIMESTAMP, "tie", F.col(ITEM).alias("item_1"), *earlier)
    return rows.withColumn("previous_likes", F.when(F.col(LABEL) == 1, chain))


def _strictly_before(subject: str):
    """Return the window of the subject's events at earlier seconds than the row's own."""
    window = Window.partitionBy(subject).orderBy(TIMESTAMP)
    return window.rangeBetween(Window.unboundedPreceding, -1)


def _over(state: dict[str, Column], window) -> dict[str, Column]:
    return {name: aggregate.over(window) for name, aggregate in state.items()}


def _item_state() -> dict[str, Column]:
    return {name: F.expr(aggregate) for name, aggregate in STATE["item"].items()}


def _user_state(genres: list[str]) -> dict[str, Column]:
    state = {name: F.expr(aggregate) for name, aggregate in STATE["user"].items()}
    for index, genre in enumerate(genres):
        liked = (F.col(LABEL) == 1) & F.array_contains("genres", genre)
        state[_counter(index)] = F.count(F.when(liked, 1))
    return state


def _counter(index: int) -> str:
    return f"user_genre_likes_{index}"


def _top_genres(genres: list[str]) -> Column:
    """Return the genres of the user's likes as an array: most first, equal ones by name."""
    if not genres:
        return F.array().cast("array<string>")
    # Count and place in the alphabet as one number each: those sort fast, structs do not.
    keys = F.sort_array(
        F.array(
            *(
                F.col(_counter(index)) * MAX_GENRES + (MAX_GENRES - 1 - index)
                for index in range(len(genres))
            )
        ),
        asc=False,
    )
    liked = F.filter(F.slice(keys, 1, N_USER_GENRES), lambda key: key >= MAX_GENRES)
    names_ = F.array(*(F.lit(genre) for genre in genres))
    return F.transform(liked, lambda key: F.get(names_, F.lit(MAX_GENRES - 1) - key % MAX_GENRES))


def _formulas(columns: list[str]) -> list[Column]:
    return [
        F.expr(FEATURES[c].formula).cast(SQL_TYPES[FEATURES[c].dtype]).alias(c) for c in columns
    ]
