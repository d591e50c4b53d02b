"""A person's ids outside, whole numbers inside: what a recaller remembers of both."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.data.ids import Ids, codes_of, raw_of
from recsys_lib.data.interactions import Interactions
from recsys_lib.errors import DataError
from recsys_lib.schema import ITEM, RATING, TIMESTAMP, USER


@dataclass(frozen=True)
class Vocabulary:
    """The ids of users and of items, each None where whole numbers stand for themselves."""

    users: Ids | None = None
    items: Ids | None = None

    def user_codes(self, raw: Iterable) -> np.ndarray:
        """Return the whole numbers of users: int64, shape (n,).

        An id that is unknown gets a negative number of its own. It depends on the id alone, so
        that two unknown users are told apart whoever else is asked for.
        """
        return _codes(self.users, raw)

    def item_codes(self, raw: Iterable) -> np.ndarray:
        """Return the whole numbers of items, as :meth:`user_codes` does for users."""
        return _codes(self.items, raw)

    def raw_users(self, codes) -> np.ndarray:
        """Return the person's ids of known users."""
        return raw_of(self.users, codes)

    def raw_items(self, codes) -> np.ndarray:
        """Return the person's ids of known items."""
        return raw_of(self.items, codes)

    def encode(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """Return a table with whole numbers in place of the person's ids."""
        missing = [name for name in (USER, ITEM) if name not in pairs]
        if missing:
            raise DataError(
                f"The table has no column {missing[0]!r}. Its columns: "
                f"{', '.join(map(repr, pairs.columns)) or 'none'}."
            )
        users, items = self.user_codes(pairs[USER]), self.item_codes(pairs[ITEM])
        return pairs.assign(**{USER: users, ITEM: items})


def canonical(interactions: pd.DataFrame | Interactions) -> tuple[pd.DataFrame, Vocabulary]:
    """Return the table inside, whose ids are whole numbers, and what these stand for.

    Raises
    ------
    DataError
        There are no rows, a column is missing, or a table that is no :class:`Interactions` has
        ids that are not whole numbers from 0 upward.
    """
    if isinstance(interactions, Interactions):
        return interactions.frame, Vocabulary(interactions.user_ids, interactions.item_ids)
    for name in (USER, ITEM):
        if name not in interactions:
            raise DataError(
                f"The interactions have no column {name!r}, but {list(interactions.columns)}. "
                "Interactions.from_frame(table, user=..., item=...) takes a table with other names."
            )
    if RATING not in interactions or TIMESTAMP not in interactions:
        # Clicks are likes, and without times later rows are later.
        return canonical(Interactions.from_frame(interactions))
    if interactions.empty:
        raise DataError("There are no interactions to learn from: the table has no rows.")
    for name in (USER, ITEM):
        ids = interactions[name]
        if not pd.api.types.is_integer_dtype(ids.dtype) or ids.min() < 0:
            raise DataError(
                f"The ids in {name!r} are not whole numbers from 0 upward ({ids.iloc[0]!r} is the "
                "first). Interactions.from_frame(table) takes ids of any kind."
            )
    return interactions, Vocabulary()


def id_list(raw) -> list:
    """Return ids as a list; a single id counts as a list of one."""
    if isinstance(raw, str | bytes) or not isinstance(raw, Iterable):
        return [raw]
    return list(raw)


def _codes(ids: Ids | None, raw: Iterable) -> np.ndarray:
    raw = raw if isinstance(raw, pd.Series | pd.Index | np.ndarray) else id_list(raw)
    codes = codes_of(ids, raw)
    unknown = np.flatnonzero(codes < 0)
    if len(unknown):
        values = list(raw)
        numbers = {str(each): None for each in (values[place] for place in unknown)}
        for text in numbers:
            digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=7).digest()
            numbers[text] = -2 - int.from_bytes(digest)  # -1 pads lists
        codes[unknown] = [numbers[str(values[place])] for place in unknown]
    return codes
