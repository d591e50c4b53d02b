"""What films contain (内容), on one machine; see :func:`recsys_lib.features.with_content`."""

import polars as pl

from recsys_lib.features.content_rules import STOP_WORDS, WORD
from recsys_lib.schema import RELATIONS


def with_content(items: pl.DataFrame, triples: pl.DataFrame | None = None) -> pl.DataFrame:
    """Add to each item its director, writer, actor and the words of its title."""
    words = (
        pl.col("title").str.to_lowercase().str.extract_all(WORD).list.unique(maintain_order=True)
    )
    kept = words.list.eval(pl.element().filter(~pl.element().is_in(STOP_WORDS)))
    items = items.with_columns(title_words=pl.coalesce(kept, pl.lit([], pl.List(pl.String))))
    for role, relation in RELATIONS.items():
        if triples is None:
            items = items.with_columns(pl.lit(None, pl.String).alias(role))
        else:
            people = _people(triples, relation, role)
            items = items.join(people, on="entity_id", how="left", maintain_order="left")
    return items


def _people(triples: pl.DataFrame, relation: str, role: str) -> pl.DataFrame:
    """Return one person a film: ``entity_id`` and the role."""
    links = triples.filter(pl.col("relation") == relation).unique(["head", "tail"])
    links = links.with_columns(n_films=pl.len().over("tail"))
    return (
        links.sort("n_films", "tail", descending=[True, False])
        .group_by(pl.col("head").alias("entity_id"))
        .agg(pl.col("tail").first().alias(role))
    )
