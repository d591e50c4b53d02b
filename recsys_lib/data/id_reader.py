"""Reading a column of ids from the blocks of one or several tables."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys_lib.data.ids import PLAIN_NUMBER, UNKNOWN, IdColumn, Ids, codes_of, id_column
from recsys_lib.data.values import Wrong, factorized
from recsys_lib.errors import DataError

NO_ID = "no id"
WITH_POINT = re.compile(r"(-?[0-9]+)\.0+")


class IdReader:
    """Learns the vocabulary of ids, then reads ids as the whole numbers inside the library.

    Look at all blocks with :meth:`look`, then :meth:`decide`, then :meth:`read`.

    A column of a text file counts as whole numbers when every id in it is one in plain digits;
    otherwise all its ids are text: ``007`` and ``7`` are two.

    Parameters
    ----------
    name : str
        What to call the column in an error.
    whole : bool
        Whether the ids must be whole numbers from 0 on, as in a published format: others are set
        aside, and nothing has to be looked at.

    Attributes
    ----------
    ids : Ids or None
        The vocabulary; None where whole numbers stand for themselves.
    notes : list of str
        What was noticed.
    """

    def __init__(self, name: str, whole: bool = False):
        self.name, self.whole = name, whole
        self.ids: Ids | None = None
        self.notes: list[str] = []
        self._typed: Ids | None = None  # from tables that know whether an id is text
        self._written: Ids | None = None  # from text files, where everything is

    def look(self, values, is_text: bool) -> None:
        """Learn the ids of a block; ``is_text`` tells that it comes from a text file."""
        if self.whole:
            return
        distinct = pc.unique(values) if _is_plain(values) else values
        found = Ids.of(distinct, self.name)
        if is_text:
            self._written = found if self._written is None else self._written.union(found)
        elif len(found):
            self._typed = found if self._typed is None else self._typed.union(found)

    def decide(self) -> None:
        """Settle what kind of ids the column holds.

        Raises
        ------
        DataError
            It mixes kinds, or writes one number in two ways.
        """
        if self.whole:
            return
        written, typed = self._written, self._typed
        if written is not None:
            plain = [each.strip() for each in written.values]
            if all(PLAIN_NUMBER.fullmatch(each) for each in plain) and not (
                typed is not None and typed.kind == "text"
            ):
                written = Ids.of([int(each) for each in plain], self.name)
            else:
                _refuse_two_spellings(written.values, self.name)
                if len(set(plain)) < len(plain):
                    self.notes.append(
                        f"{self.name} holds ids that differ in nothing but blanks at their ends; "
                        "they are kept apart."
                    )
        known = [each for each in (written, typed) if each is not None]
        ids = known[0] if known else Ids.of([], self.name)
        for other in known[1:]:
            ids = ids.union(other)
        self.ids = None if ids.are_codes else ids

    def read(self, values) -> tuple[np.ndarray, list[Wrong]]:
        """Return the number of each id, int64 (n,), and which values are no ids."""
        places, distinct = _factorized(values, self.name)
        if distinct.kind == "text" and (self.ids is None or self.ids.kind == "number"):
            stripped = [each.strip() for each in distinct.values]
            distinct = distinct._replace(values=np.array(stripped, dtype=object))
        known = codes_of(self.ids, distinct.values) if len(distinct.values) else np.empty(0, int)
        codes = np.append(known, UNKNOWN)[places]
        return codes, [Wrong(codes < 0, NO_ID)]


def _is_plain(values) -> bool:
    """Tell whether Arrow can take the distinct values apart without changing them."""
    if not isinstance(values, pa.Array):
        return False
    kind = values.type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)


def _factorized(values, name: str) -> tuple[np.ndarray, IdColumn]:
    """Return the place of each value among the distinct ones (-1 for a missing one), and those."""
    if _is_plain(values):
        encoded = values.dictionary_encode()
        places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        column = id_column(encoded.dictionary, name)
        gone = np.append(column.missing, True)
        there = np.append(np.cumsum(~column.missing) - 1, -1)
        places = np.where(gone[places], -1, there[places])
        return places, IdColumn(column.kind, column.values[~column.missing], column.missing)
    column = id_column(values, name)
    places = np.full(len(column.values), -1)
    places[~column.missing], distinct = factorized(column.values[~column.missing])
    return places, IdColumn(column.kind, distinct, column.missing)


def _refuse_two_spellings(values: np.ndarray, name: str) -> None:
    """Refuse a column that holds both 1 and 1.0, or numbers of which some have a point."""
    pointed = {each: found[1] for each in values if (found := WITH_POINT.fullmatch(each))}
    if not pointed:
        return
    here = set(values)
    both = next((each for each in pointed if pointed[each] in here), None)
    if both is None and len(pointed) < len(values):
        rest = [each for each in values if each not in pointed]
        if all(PLAIN_NUMBER.fullmatch(each) for each in rest):
            both = next(iter(pointed))
            pointed[both] = rest[0]
    if both is not None:
        raise DataError(
            f"{name} holds ids such as {pointed[both]!r} and {both!r}: numbers with and without a "
            "point. Write all of them in one way."
        )
