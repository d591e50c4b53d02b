"""The canonical tables: one set of column names and types, whatever the source.

========================  =========================================================================
``interactions.parquet``  one row a rating: who, what, how much (stars), when (Unix seconds, UTC)
``items.parquet``         one row an item: title, release year, genres, knowledge-graph entity
``users.parquet``         one row a user, where the source knows them
``triples.parquet``       knowledge-graph facts (head, relation, tail), where the source has them
========================  =========================================================================

Ids are integers. A source with other ids gets integers in order of first appearance, and
``user_ids.parquet`` / ``item_ids.parquet`` keep what each stood for (``source_id``).
"""

import pyarrow as pa

USER = "user_id"
ITEM = "item_id"
RATING = "rating"
TIMESTAMP = "timestamp"

# The notes call a rating of 3.5 and more a like (好评); with whole stars that means 4 and 5.
LIKE_THRESHOLD = 3.5

# A source without ratings (implicit feedback, 隐性反馈: clicks, purchases) tells of likes only.
IMPLICIT_RATING = 5.0

INTERACTIONS = pa.schema(
    [
        pa.field(USER, pa.int64(), nullable=False),
        pa.field(ITEM, pa.int64(), nullable=False),
        pa.field(RATING, pa.float32(), nullable=False),
        pa.field(TIMESTAMP, pa.int64(), nullable=False),
    ]
)

ITEMS = pa.schema(
    [
        pa.field(ITEM, pa.int64(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("release_year", pa.int16()),
        pa.field("genres", pa.list_(pa.string()), nullable=False),
        pa.field("entity_id", pa.string()),  # joins to triples.head and triples.tail
    ]
)

USERS = pa.schema(
    [
        pa.field(USER, pa.int64(), nullable=False),
        pa.field("age", pa.int16()),
        pa.field("gender", pa.string()),
        pa.field("occupation", pa.string()),
        pa.field("zip_code", pa.string()),
    ]
)

TRIPLES = pa.schema(
    [
        pa.field("head", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("tail", pa.string(), nullable=False),
    ]
)

# What a person does in a film -> the relation that says so, in the words of Freebase, from which
# the graph of MovieLens 100K in RecBole is drawn.
RELATIONS = {
    "director": "film.film.directed_by",
    "writer": "film.film.written_by",
    "actor": "film.film.actor",
}
