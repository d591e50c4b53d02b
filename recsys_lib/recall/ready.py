"""Recallers by name for a person's own table: made, and where possible tuned, in one call."""

import pandas as pd

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.registry import METADATA, channel_names, make_channel
from recsys_lib.recall.tuning import SEARCH, Best

MERGES = {
    "best": "the merge of channels that does best on a held-out part",
    "best_single": "the one channel that does best there",
}


def describe() -> dict[str, str]:
    """Return what each recaller that :func:`ready_recaller` knows needs and does, by name."""
    told = dict(MERGES)
    for name in channel_names():
        if name in SEARCH:
            told[name] = "settings are chosen on a held-out part"
        elif name in METADATA:
            told[name] = f"needs an item table with {METADATA[name][1]}"
        else:
            told[name] = "settings are the defaults, or yours"
    return told


def check_name(name: str) -> None:
    """Raise :class:`RecsysError` with the nearest name if there is no such recaller."""
    known = describe()
    if name not in known:
        raise RecsysError(
            f"There is no recaller {name!r}.{nearest(name, known)} Known: {', '.join(known)}."
        )


def ready_recaller(
    name: str,
    items: pd.DataFrame | None,
    *,
    protocol: str,
    relevant: str,
    k: int,
    settings: dict,
) -> Recaller:
    """Return an unfitted recaller by its name.

    Parameters
    ----------
    name : str
        A key of :func:`describe`.
    items : DataFrame, optional
        For the channels that read an item table.
    protocol, relevant, k
        How settings are chosen, see :class:`Best`.
    settings : dict
        Keyword arguments of the recaller. With any, a channel is taken as it is told to be;
        without, the channels that :class:`Best` can tune choose their own.
    """
    check_name(name)
    chosen_by = {"protocol": protocol, "relevant": relevant, "k": k}
    try:
        if name in MERGES:
            return Best(**chosen_by, merge=name == "best", **settings)
    except TypeError as error:
        raise RecsysError(f"Recaller {name!r} does not take these settings: {error}") from None
    if name in SEARCH and not settings:
        return Best(**chosen_by, channels=(name,))
    return make_channel(name, items, **settings)
