"""Channels by name, and plans: which channels are merged and how, plain enough for JSON."""

import inspect
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
from recsys_lib.recall.channels.sessions import CoOccurrence, SessionEase, Transitions
from recsys_lib.recall.channels.two_tower import TwoTower
from recsys_lib.recall.channels.user_knn import UserKNN
from recsys_lib.recall.channels.vectors import TRAINERS, VectorRecaller
from recsys_lib.recall.merge import Merged
from recsys_lib.settings import checked_setting

CHANNELS: dict[str, type[Channel]] = {
    cls.name: cls
    for cls in (
        Popular,
        RecentlyPopular,
        ItemKNN,
        UserKNN,
        RP3beta,
        Ease,
        SessionEase,
        CoOccurrence,
        Transitions,
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


def class_of(name: str) -> type[Channel]:
    """Return the class of a channel, that of vectors for those that train some."""
    return CHANNELS.get(name, VectorRecaller)


def checked_settings(name: str, made: type, settings: Mapping) -> dict:
    """Return settings of a recaller in the types that its constructor names.

    Raises
    ------
    RecsysError
        The recaller has no such setting, or the value is none that it may have.
    """
    known = {
        each.name: each.annotation
        for each in inspect.signature(made).parameters.values()
        if each.kind == each.KEYWORD_ONLY
    }
    for setting in settings:
        if setting not in known:
            raise RecsysError(
                f"{name!r} does not take the setting {setting!r}.{nearest(setting, known)} "
                f"It takes: {', '.join(known) or 'none'}."
            )
    return {each: checked_setting(each, settings[each], known[each]) for each in settings}


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
    if name in tables or name in TRAINERS:
        settings = checked_settings(name, VectorRecaller, settings)
        return VectorRecaller(tables.get(name, name), **settings)
    if name in CHANNELS:
        settings = checked_settings(name, CHANNELS[name], settings)
        return CHANNELS[name](*([items] if column else []), **settings)
    known = list(dict.fromkeys([*channel_names(), *tables]))
    raise RecsysError(
        f"There is no recall channel {name!r}.{nearest(name, known)} "
        f"Known here: {', '.join(known)}."
    )


def default_plan() -> dict:
    """Return the plan that lesson 05 chooses on validation data at its default parameters.

    The lesson chooses channels, weights and fusion. The settings of the channels are fixed there,
    and its lab, 05_lab_recall, compares them with others.

    Returns
    -------
    dict
        ``channels`` (name -> weight in the merge), ``settings`` (name -> keyword arguments of the
        channel; may leave channels out), ``fusion`` and ``candidates`` (items to recall a user).
    """
    return {
        "channels": {"two_tower": 1.0, "session_ease": 1.0, "user_knn": 1.0, "co_occurrence": 0.5},
        "settings": {
            "session_ease": {
                "min_rating": None,
                "regularization": 300.0,
                "half_life_likes": 10.0,
            },
            "user_knn": {"n_neighbours": 50},
        },
        "fusion": "score",
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
