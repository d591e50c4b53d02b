"""Ties between users on Spark; what a tie is, see :func:`recsys_lib.features.user_ties`."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from recsys_lib.features.declarations import STRONG_TIE, TIE_NEIGHBOURS
from recsys_lib.features.tie_break import TIE_BREAK
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER


def user_ties(interactions: DataFrame, neighbours: int = TIE_NEIGHBOURS) -> DataFrame:
    """Return the pairs of users with a liked film in common."""
    likes = interactions.where(F.col(RATING) >= LIKE_THRESHOLD)
    in_order = Window.partitionBy(ITEM).orderBy(TIMESTAMP, F.expr(TIE_BREAK))
    before = F.collect_list(USER).over(in_order.rowsBetween(-neighbours, -1))
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
