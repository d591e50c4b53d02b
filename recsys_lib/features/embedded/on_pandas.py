"""What :mod:`recsys_lib.features.engines` asks of this engine: pandas in, pandas out."""

import pandas as pd
import polars as pl
import pyarrow as pa

from recsys_lib import schema
from recsys_lib.features.declarations import METADATA
from recsys_lib.features.embedded import content, ties
from recsys_lib.features.embedded.frames import polars_from
from recsys_lib.features.embedded.samples import Samples
from recsys_lib.features.frames import pandas_from

# What `with_content` adds is metadata too.
_TEXTS = {"string": pa.string(), "strings": pa.list_(pa.string())}
_ITEMS = pa.schema(
    [schema.ITEMS.field(schema.ITEM)]
    + [
        pa.field(name, _TEXTS.get(kind) or getattr(pa, kind)())
        for name, kind in METADATA["item"].items()
    ]
)


def training_samples(
    interactions: pd.DataFrame,
    items: pd.DataFrame,
    users: pd.DataFrame | None = None,
    columns: list[str] | None = None,
) -> pd.DataFrame:
    """Return one sample for each interaction, in order of time, user and item."""
    samples = _samples(interactions, items, users, columns)
    return pandas_from(pl.concat(samples.pieces()).to_arrow())


def serving_features(
    interactions: pd.DataFrame,
    items: pd.DataFrame,
    users: pd.DataFrame | None = None,
    columns: list[str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the latest features of users and of items, each in order of their ids."""
    samples = _samples(interactions, items, users, columns)
    return tuple(pandas_from(samples.latest(who).to_arrow()) for who in ("user", "item"))


def user_ties(interactions: pd.DataFrame, neighbours: int) -> pd.DataFrame:
    """Return the pairs of users with a liked film in common, in order of their ids."""
    pairs = ties.user_ties(polars_from(interactions, schema.INTERACTIONS), neighbours)
    return pairs.sort(schema.USER, "other_id").to_pandas()


def with_content(items: pd.DataFrame, triples: pd.DataFrame | None = None) -> pd.DataFrame:
    """Add to each item its director, writer, actor and the words of its title."""
    known = polars_from(items, schema.ITEMS)
    if triples is not None:
        triples = polars_from(triples, schema.TRIPLES)
    made = content.with_content(known, triples).drop(known.columns).to_pandas()
    return items.assign(**made.set_index(items.index))


def _samples(interactions, items, users, columns) -> Samples:
    events = polars_from(interactions, schema.INTERACTIONS)
    further = interactions.columns.difference(schema.INTERACTIONS.names, sort=False)
    events = events.hstack(pl.from_pandas(interactions[further]))
    if users is not None:
        users = polars_from(users, schema.USERS)
    return Samples(events, polars_from(items, _ITEMS), users, columns)
