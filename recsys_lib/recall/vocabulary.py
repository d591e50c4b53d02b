"""A person's ids outside, whole numbers inside: what a recaller remembers of both."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class GrownVocabulary(Vocabulary):
    """A vocabulary whose later items have the negative numbers of unknown ids.

    Attributes
    ----------
    later : Ids or None
        The items that came later; None where whole numbers stand for themselves.
    later_codes : int64 array
        Their numbers.
    """

    later: Ids | None = None
    later_codes: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def raw_items(self, codes) -> np.ndarray:
        """Return the person's ids of items, known or later."""
        codes = np.asarray(codes, np.int64)
        if self.later is None or not (codes < 0).any():
            return super().raw_items(codes)
        raw = np.empty(codes.shape, dtype=object)
        raw[codes >= 0] = raw_of(self.items, codes[codes >= 0])
        by_code = dict(zip(self.later_codes.tolist(), self.later.values, strict=True))
        raw[codes < 0] = [by_code[code] for code in codes[codes < 0].tolist()]
        return raw


def canonical(interactions: pd.DataFrame | Interactions) -> tuple[pd.DataFrame, Vocabulary]:
    """Return the table inside, whose ids are whole numbers, and what these stand for.

    A table that has ids of another kind, no ratings (each row is a like) or no moments (later rows
    are later) is understood as by :meth:`Interactions.from_frame`.

    Raises
    ------
    DataError
        There are no rows, or there is no column ``user_id`` or ``item_id``.
    """
    if isinstance(interactions, pd.DataFrame):
        if _is_canonical(interactions):
            return interactions, Vocabulary()
        interactions = Interactions.from_frame(interactions)
    return interactions.frame, Vocabulary(interactions.user_ids, interactions.item_ids)


def _is_canonical(table: pd.DataFrame) -> bool:
    """Say whether all columns are there, and ids are whole numbers that stand for themselves."""
    return (
        {USER, ITEM, RATING, TIMESTAMP} <= set(table.columns)
        and not table.empty
        and all(table[n].dtype == np.int64 and table[n].min() >= 0 for n in (USER, ITEM))
    )


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
