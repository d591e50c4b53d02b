"""The peer of the samples job: the shape of the reference system's PySpark job, written anew.

What makes it the reference's: everything is text, Python row functions parse titles and count
genres, each column has its own window of the last 100 rows in the order of the timestamp's text,
movie statistics are over all time, numbers become text again, nothing is tuned.

    python reference_job.py DATASET_FOLDER OUT_FOLDER
"""

import os
import sys
from collections import Counter

os.environ["PYSPARK_PYTHON"] = sys.executable

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, IntegerType, StringType

DEFAULT_YEAR = 1990


@F.udf(IntegerType())
def year_in(title):
    text = (title or "").strip()
    return int(text[-5:-1]) if len(text) >= 6 else DEFAULT_YEAR


@F.udf(ArrayType(StringType()))
def favourites(genre_texts):
    counts = Counter(genre for text in genre_texts for genre in text.split("|"))
    return [genre for genre, _ in counts.most_common()]


def as_text(spark, folder):
    """Return ratings and movies as the reference reads them from CSV: all columns text."""
    ratings = spark.read.parquet(f"{folder}/interactions.parquet").selectExpr(
        "cast(user_id as string) userId",
        "cast(item_id as string) movieId",
        "cast(rating as string) rating",
        "cast(timestamp as string) timestamp",
    )
    movies = spark.read.parquet(f"{folder}/items.parquet").selectExpr(
        "cast(item_id as string) movieId",
        "concat(title, ' (', release_year, ')') title",
        "array_join(genres, '|') genres",
    )
    return ratings, movies


def with_movie_features(ratings, movies):
    rows = ratings.withColumn("label", F.when(F.col("rating") >= 3.5, 1).otherwise(0))
    rows = rows.join(movies, ["movieId"], "left").withColumn("releaseYear", year_in("title"))
    for place in range(3):
        genre = F.get(F.split("genres", r"\|"), F.lit(place))
        rows = rows.withColumn(f"movieGenre{place + 1}", genre)
    statistics = rows.groupBy("movieId").agg(
        F.count(F.lit(1)).alias("movieRatingCount"),
        F.format_number(F.avg("rating"), 2).alias("movieAvgRating"),
        F.format_number(F.coalesce(F.stddev("rating"), F.lit(0.0)), 2).alias("movieRatingStddev"),
    )
    return rows.drop("title").join(statistics, ["movieId"], "left")


def with_user_features(rows):
    def over_last(column):
        window = Window.partitionBy("userId").orderBy("timestamp").rowsBetween(-100, -1)
        return column.over(window)

    liked = F.collect_list(F.when(F.col("label") == 1, F.col("movieId")))
    rows = rows.withColumn("history", F.reverse(over_last(liked)))
    for place in range(5):
        rows = rows.withColumn(f"userRatedMovie{place + 1}", F.get("history", F.lit(place)))
    genres = F.collect_list(F.when(F.col("label") == 1, F.col("genres")))
    rows = (
        rows.withColumn("userRatingCount", over_last(F.count(F.lit(1))))
        .withColumn("userAvgReleaseYear", over_last(F.avg("releaseYear")).cast("int"))
        .withColumn("userReleaseYearStddev", F.format_number(over_last(F.stddev("releaseYear")), 2))
        .withColumn("userAvgRating", F.format_number(over_last(F.avg("rating")), 2))
        .withColumn("userRatingStddev", F.format_number(over_last(F.stddev("rating")), 2))
        .withColumn("ranked", favourites(over_last(genres)))
    )
    for place in range(5):
        rows = rows.withColumn(f"userGenre{place + 1}", F.get("ranked", F.lit(place)))
    return rows.drop("genres", "history", "ranked").filter("userRatingCount > 1")


if __name__ == "__main__":
    session = SparkSession.builder.master("local[2]").appName("reference").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    samples = with_user_features(with_movie_features(*as_text(session, sys.argv[1])))
    samples.write.mode("overwrite").parquet(sys.argv[2])
    session.stop()
