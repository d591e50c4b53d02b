"""Channels by name, and plans: which channels are merged and how, plain enough for JSON."""

from collections.abc import Mapping

import pandas as pd

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.recall.channels.als import ImplicitALS
from recsys_lib.recall.channels.attributes import FavouriteGenre, FavouritePeople
from recsys_lib.recall.channels.base import Channel
from recsys_lib.recall.channels.ease import Ease
from recsys_lib.recall.channels.item_knn import ItemKNN
from recsys_lib.recall.channels.popular import Newest, Popular, RandomRecaller, RecentlyPopular
from recsys_lib.recall.channels.reads_items import ReadsItems
from recsys_lib.recall.channels.rp3beta import RP3beta
from recsys_lib.recall.channels.two_tower import TwoTower
from recsys_lib.recall.channels.user_knn import UserKNN
from recsys_lib.recall.channels.vectors import TRAINERS, VectorRecaller
from recsys_lib.recall.merge import Merged

CHANNELS: dict[str, type[Channel]] = {
    cls.name: cls
    for cls in (
        Popular,
        RecentlyPopular,
        ItemKNN,
        UserKNN,
        RP3beta,
        Ease,
        ImplicitALS,
        TwoTower,
        RandomRecaller,
        Newest,
        FavouriteGenre,
        FavouritePeople,
    )
}


def channel_names() -> list[str]:
    """Return the names of all channels, those that train vectors included."""
    return [*CHANNELS, *TRAINERS]


def item_column(name: str) -> str | None:
    """Return the column of the item table that a channel reads, or None."""
    channel = CHANNELS.get(name)
    return channel.item_column if channel and issubclass(channel, ReadsItems) else None


def make_channel(
    name: str,
    items: pd.DataFrame | None = None,
    tables: Mapping[str, EmbeddingTable] | None = None,
    **settings,
) -> Channel:
    """Return an unfitted channel by its name.

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
    tables, column = tables or {}, item_column(name)
    if column and (items is None or column not in items):
        raise RecsysError(f"Channel {name!r} needs items with a column {column!r}.")
    try:
        if name in tables:
            return VectorRecaller(tables[name], **settings)
        if name in TRAINERS:
            return VectorRecaller(name, **settings)
        if name in CHANNELS:
            return CHANNELS[name](*([items] if column else []), **settings)
    except TypeError as error:
        raise RecsysError(f"Channel {name!r} does not take these settings: {error}") from None
    known = list(dict.fromkeys([*channel_names(), *tables]))
    raise RecsysError(
        f"There is no recall channel {name!r}.{nearest(name, known)} "
        f"Known here: {', '.join(known)}."
    )


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


def merge_from_plan(
    plan: Mapping,
    items: pd.DataFrame | None = None,
    tables: Mapping[str, EmbeddingTable] | None = None,
) -> Merged:
    """Return the merge that a plan describes, unfitted.

    Parameters
    ----------
    plan : mapping
        As :func:`default_plan` returns.
    items : DataFrame, optional
        The item table of the data set.
    tables : mapping of str to EmbeddingTable, optional
        Vectors by the name of their channel, learned from what the merge will be fitted on.
    """
    channels = {
        name: make_channel(name, items, tables, **plan["settings"].get(name, {}))
        for name in plan["channels"]
    }
    return Merged(channels, plan["channels"], fusion=plan["fusion"], depth=plan["candidates"])
