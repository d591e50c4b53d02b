"""A recall plan: which channels are merged, how; plain enough to be kept as JSON."""

from collections.abc import Mapping

import pandas as pd

from recsys_lib.data.splits import Split
from recsys_lib.embeddings import build_deepwalk, build_item2vec, build_node2vec
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.channels.als import ImplicitALS
from recsys_lib.recall.channels.attributes import FavouriteGenre, FavouritePeople
from recsys_lib.recall.channels.ease import Ease
from recsys_lib.recall.channels.item_knn import ItemKNN
from recsys_lib.recall.channels.popular import Newest, Popular, RandomRecaller, RecentlyPopular
from recsys_lib.recall.channels.rp3beta import RP3beta
from recsys_lib.recall.channels.two_tower import TwoTower
from recsys_lib.recall.channels.user_knn import UserKNN
from recsys_lib.recall.channels.vectors import VectorRecaller
from recsys_lib.recall.merge import Merged

# Channels that learn from interactions alone, by their names in a plan.
BEHAVIOUR = {
    "popular": Popular,
    "recently_popular": RecentlyPopular,
    "item_knn": ItemKNN,
    "user_knn": UserKNN,
    "rp3beta": RP3beta,
    "ease": Ease,
    "als": ImplicitALS,
    "two_tower": TwoTower,
    "random": RandomRecaller,
}
# Channels that need the item table too, and the column of it that they read.
METADATA = {
    "newest": (Newest, "release_year"),
    "favourite_genre": (FavouriteGenre, "genres"),
    "favourite_people": (FavouritePeople, "people"),
}
# Vectors that a channel trains itself where no table of that name is given.
VECTORS = {"item2vec": build_item2vec, "deepwalk": build_deepwalk, "node2vec": build_node2vec}


def channel_names() -> list[str]:
    """Return the names of all channels."""
    return [*BEHAVIOUR, *METADATA, *VECTORS]


def default_plan() -> dict:
    """Return the plan that notebook 05 chooses on validation data at its default parameters.

    Returns
    -------
    dict
        ``channels`` (name -> weight in the merge), ``settings`` (name -> keyword arguments of the
        channel; may leave channels out), ``fusion`` and ``candidates`` (items to recall a user).
    """
    return {
        "channels": {"two_tower": 1.0, "als": 1.0, "node2vec": 0.5},
        "settings": {"als": {"embedding_dim": 32}, "node2vec": {"n_recent": 5}},
        "fusion": "rank",
        "candidates": 200,
    }


def make_channel(
    name: str,
    items: pd.DataFrame | None = None,
    tables: Mapping[str, EmbeddingTable] | None = None,
    **settings,
) -> Recaller:
    """Return an unfitted channel by its name in a plan.

    Parameters
    ----------
    name : str
        One of :func:`channel_names`, or of ``tables``.
    items : DataFrame, optional
        The item table, for the channels that read it.
    tables : mapping of str to EmbeddingTable, optional
        Vectors at hand; others are trained when the channel is fitted.
    **settings
        Keyword arguments of the channel.

    Raises
    ------
    RecsysError
        There is no such channel or setting, or the item table lacks what the channel reads.
    """
    tables = tables or {}
    try:
        if name in tables:
            return VectorRecaller(tables[name], **settings)
        if name in VECTORS:
            return VectorRecaller(_trainer(name), **settings)
        if name in METADATA:
            channel, column = METADATA[name]
            if items is None or column not in items:
                raise RecsysError(f"Channel {name!r} needs items with a column {column!r}.")
            return channel(items, **settings)
        if name in BEHAVIOUR:
            return BEHAVIOUR[name](**settings)
    except TypeError as error:
        raise RecsysError(f"Channel {name!r} does not take these settings: {error}") from None
    known = list(dict.fromkeys([*channel_names(), *tables]))
    raise RecsysError(
        f"There is no recall channel {name!r}.{nearest(name, known)} "
        f"Known here: {', '.join(known)}."
    )


def _trainer(name: str):
    """Return a function that trains the vectors of that name from interactions."""

    def train(interactions: pd.DataFrame) -> EmbeddingTable:
        nothing = interactions.iloc[:0]
        return VECTORS[name]({"all": Split("all", interactions, nothing, nothing)})["all"]

    return train


def recallers_from_plan(
    plan: Mapping,
    items: pd.DataFrame | None,
    history: pd.DataFrame,
    tables: Mapping[str, EmbeddingTable] | None = None,
) -> Merged:
    """Build the merge that a plan describes and fit it.

    Parameters
    ----------
    plan : mapping
        As :func:`default_plan` returns.
    items : DataFrame or None
        The item table of the data set.
    history : DataFrame
        Interactions to learn from.
    tables : mapping of str to EmbeddingTable
        Vectors by the name of their channel, learned from the same ``history``.
    """
    channels = {
        name: make_channel(name, items, tables, **plan["settings"].get(name, {}))
        for name in plan["channels"]
    }
    merged = Merged(channels, plan["channels"], fusion=plan["fusion"], depth=plan["candidates"])
    return merged.fit(history)
