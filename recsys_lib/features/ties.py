"""Ties between users (关系): who liked the same films, and since when.

The notes call a film in common a weak tie (弱关系). A tie here is as strong as the number of films
both liked; it exists from the second in which the later of the two liked the film, so that counts
of ties can be taken strictly before a moment like any other feature.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from recsys_lib.features.registry import STRONG_TIE
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER
from recsys_lib.seeding import DEFAULT_SEED

# A film ties each user who likes it to the users who liked it just before, so many of them. All
# pairs would grow with the square of a film's audience: at this bound they grow with the events.
NEIGHBOURS = 20

# The order of events of one second, as SQL: a hash of user and item. The order of the rows means
# nothing, and the order of the ids would leak the age of films.
TIE_BREAK = f"xxhash64({DEFAULT_SEED}, {USER}, {ITEM})"


def user_ties(interactions: DataFrame) -> DataFrame:
    """Return the pairs of users with a liked film in common.

    Parameters
    ----------
    interactions : pyspark.sql.DataFrame
        As in :data:`recsys_lib.schema.INTERACTIONS`.

    Returns
    -------
    pyspark.sql.DataFrame
        One row a pair: ``user_id`` < ``other_id`` (int64), ``films`` in common (int32), and the
        seconds since which the tie is there (``weak_since``) and is a strong one
        (``strong_since``, null where it is not).
    """
    likes = interactions.where(F.col(RATING) >= LIKE_THRESHOLD)
    in_order = Window.partitionBy(ITEM).orderBy(TIMESTAMP, F.expr(TIE_BREAK))
    before = F.collect_list(USER).over(in_order.rowsBetween(-NEIGHBOURS, -1))
    return (
        likes.select(USER, TIMESTAMP, before.alias("before"))
        .select(USER, TIMESTAMP, F.explode("before").alias("other"))
        .where(F.col(USER) != F.col("other"))
        .groupBy(F.least(USER, "other").alias(USER), F.greatest(USER, "other").alias("other_id"))
        .agg(F.array_sort(F.collect_list(TIMESTAMP)).alias("moments"))
        .select(
            USER,
            "other_id",
            F.size("moments").alias("films"),
            F.get("moments", F.lit(0)).alias("weak_since"),
            F.get("moments", F.lit(STRONG_TIE - 1)).alias("strong_since"),
        )
    )


def tie_events(interactions: DataFrame) -> DataFrame:
    """Return how many ties each user got at each second: user, time, weak_ties, strong_ties."""
    both = user_ties(interactions).withColumn(USER, F.explode(F.array(USER, "other_id")))
    formed = both.selectExpr(
        USER,
        f"stack(2, weak_since, 1, 0, strong_since, 0, 1) as ({TIMESTAMP}, weak_ties, strong_ties)",
    )
    return (
        formed.where(f"{TIMESTAMP} is not null")
        .groupBy(USER, TIMESTAMP)
        .agg(F.sum("weak_ties").alias("weak_ties"), F.sum("strong_ties").alias("strong_ties"))
    )
