"""A recall plan: which channels are merged, how; plain enough to be kept as JSON."""

from collections.abc import Callable, Mapping

import pandas as pd

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.ease import Ease
from recsys_lib.recall.genre import FavouriteGenre
from recsys_lib.recall.item_to_item import ItemKNN
from recsys_lib.recall.merge import Merged
from recsys_lib.recall.popular import Newest, Popular, RecentlyPopular
from recsys_lib.recall.vectors import VectorRecaller

# Name of a channel -> how it is made from the item table, if it is no table of vectors.
RULES: dict[str, Callable[..., Recaller]] = {
    "popular": lambda items, **settings: Popular(**settings),
    "recently_popular": lambda items, **settings: RecentlyPopular(**settings),
    "newest": Newest,
    "favourite_genre": FavouriteGenre,
    "item_knn": lambda items, **settings: ItemKNN(**settings),
    "ease": lambda items, **settings: Ease(**settings),
}


def default_plan() -> dict:
    """Return the plan that notebook 05 chooses on validation data at its default parameters.

    Returns
    -------
    dict
        ``channels`` (name -> weight in the merge), ``settings`` (name -> keyword arguments of the
        channel; may leave channels out), ``fusion`` and ``candidates`` (items to recall a user).
    """
    return {
        "channels": {"item2vec": 1.0, "deepwalk": 0.5, "ease": 1.0},
        "settings": {
            "item2vec": {"n_recent": 5},
            "deepwalk": {"n_recent": 5},
            "ease": {"regularization": 800.0},
        },
        "fusion": "rank",
        "candidates": 200,
    }


def make_channel(
    name: str, items: pd.DataFrame, tables: Mapping[str, EmbeddingTable], **settings
) -> Recaller:
    """Return an unfitted channel by its name in a plan: a rule, or a table of vectors.

    Raises
    ------
    RecsysError
        Neither a rule nor a table has that name.
    """
    if name in tables:
        return VectorRecaller(tables[name], **settings)
    if name not in RULES:
        known = [*RULES, *tables]
        raise RecsysError(
            f"There is no recall channel {name!r}.{nearest(name, known)} "
            f"Known here: {', '.join(known)}."
        )
    return RULES[name](items, **settings)


def recallers_from_plan(
    plan: Mapping, items: pd.DataFrame, history: pd.DataFrame, tables: Mapping[str, EmbeddingTable]
) -> Merged:
    """Build the merge that a plan describes and fit it.

    Parameters
    ----------
    plan : mapping
        As :func:`default_plan` returns.
    items : DataFrame
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
