"""What films contain (内容): who made them, by the knowledge graph, and the title's words."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from recsys_lib.data.knowledge_graph import RELATIONS

_WORD = r"([\p{L}\p{N}]+)"


def with_content(items: DataFrame, triples: DataFrame | None = None) -> DataFrame:
    """Add to each item its director, writer, actor and the words of its title.

    Parameters
    ----------
    items : pyspark.sql.DataFrame
        As in :data:`recsys_lib.schema.ITEMS`.
    triples : pyspark.sql.DataFrame, optional
        As in :data:`recsys_lib.schema.TRIPLES`. A data set without them leaves people null.

    Returns
    -------
    pyspark.sql.DataFrame
        ``items`` with ``director``, ``writer``, ``actor`` (entity ids; of several people the one
        with most films in the graph, then the smallest id) and ``title_words`` (lower case, each
        once, without English stop words; empty for a missing title).
    """
    from pyspark.ml.feature import StopWordsRemover  # takes a second, and pandas

    stop_words = [F.lit(word) for word in StopWordsRemover.loadDefaultStopWords("english")]
    words = F.regexp_extract_all(F.lower("title"), F.lit(_WORD))
    kept = F.array_except(F.array_distinct(words), F.array(*stop_words))
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
