"""What films contain (内容), on Spark; see :func:`recsys_lib.features.with_content`."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from recsys_lib.features.content_rules import STOP_WORDS, WORD
from recsys_lib.schema import RELATIONS


def with_content(items: DataFrame, triples: DataFrame | None = None) -> DataFrame:
    """Add to each item its director, writer, actor and the words of its title."""
    words = F.regexp_extract_all(F.lower("title"), F.lit(WORD))
    kept = F.array_except(F.array_distinct(words), F.array(*map(F.lit, STOP_WORDS)))
    items = items.withColumn("title_words", F.coalesce(kept, F.array().cast("array<string>")))
    for role, relation in RELATIONS.items():
        if triples is None:
            items = items.withColumn(role, F.lit(None).cast("string"))
        else:
            items = items.join(_people(triples, relation, role), "entity_id", "left")
    return items


def _people(triples: DataFrame, relation: str, role: str) -> DataFrame:
    """Return one person a film: ``entity_id`` and the role."""
    links = triples.where(F.col("relation") == relation).dropDuplicates(["head", "tail"])
    minus_films = -F.count("*").over(Window.partitionBy("tail"))
    return (
        links.select(F.col("head").alias("entity_id"), F.struct(minus_films, "tail").alias("who"))
        .groupBy("entity_id")
        .agg(F.min("who")["tail"].alias(role))
    )
