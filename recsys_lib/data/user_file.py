"""A person's own CSV of interactions, and of items: named columns, ids of any kind."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys_lib.data.delimited import BrokenLines, Delimited
from recsys_lib.data.formats import Rejects, Source, genre_lists, items_frame
from recsys_lib.errors import DataError, nearest

WHOLE_ID = r"^(0|[1-9][0-9]{0,17})$"  # '007' and '7' are two ids, so '007' is text


@dataclass(frozen=True)
class Columns:
    """The names of a file's columns. Without ``rating`` each interaction is a like (5.0)."""

    user: str
    item: str
    timestamp: str
    rating: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Columns":
        """Read ``user=uid,item=sku,rating=stars,timestamp=when``."""
        named = {}
        for part in text.split(","):
            role, separator, name = part.partition("=")
            role = role.strip()
            if role not in cls.__dataclass_fields__ or not separator or not name.strip():
                hint = nearest(role, cls.__dataclass_fields__)
                raise DataError(
                    f"--columns does not understand {part!r}.{hint} Write user=NAME,"
                    "item=NAME,timestamp=NAME and, if there is one, rating=NAME."
                )
            named[role] = name.strip()
        missing = [role for role in ("user", "item", "timestamp") if role not in named]
        if missing:
            raise DataError(
                f"--columns must also name {', '.join(missing)} (as {missing[0]}=NAME)."
            )
        return cls(**named)


class IdMap:
    """Integers for ids of any kind: whole numbers keep themselves, others count from 1.

    An id column counts as whole numbers when every value of it is one. Otherwise ids are numbered
    in order of first appearance, and ``table()`` tells what each number stands for.
    """

    def __init__(self, whole: bool):
        self.whole = whole
        self._known = pd.Index([], dtype=object)

    def numbers(self, text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Return (int64 (n,), bool (n,) whether there is an id at all), learning new ids."""
        stripped = pc.utf8_trim_whitespace(text)
        if self.whole:
            return pc.cast(stripped, pa.int64()).to_numpy(zero_copy_only=False), np.ones(
                len(text), dtype=bool
            )
        values = stripped.to_pandas().to_numpy(dtype=object)
        distinct = pd.unique(values)
        new = distinct[~np.isin(distinct, [""]) & (self._known.get_indexer(distinct) < 0)]
        self._known = self._known.append(pd.Index(new, dtype=object))
        places = self._known.get_indexer(values)
        return places.astype(np.int64) + 1, places >= 0

    def table(self, id_column: str) -> pd.DataFrame | None:
        """Return the mapping (integer, ``source_id``), or None where numbers kept themselves."""
        if self.whole:
            return None
        return pd.DataFrame(
            {id_column: np.arange(1, len(self._known) + 1), "source_id": self._known}
        )


def _all_whole(file: Delimited, columns: list[str]) -> list[bool]:
    whole = [True] * len(columns)
    for rows in file.blocks(columns, BrokenLines()):
        for i, name in enumerate(columns):
            if whole[i]:
                text = pc.utf8_trim_whitespace(rows.columns[name])
                whole[i] = bool(pc.all(pc.match_substring_regex(text, WHOLE_ID)).as_py())
    return whole


def _items(path: Path, id_column: str, ids: IdMap, rejects: Rejects) -> pd.DataFrame:
    file = Delimited(path, ",", None, quoted=True)
    key = id_column if id_column in file.names else "item_id"
    year = "release_year" if "release_year" in file.names else "year"
    optional = [name for name in ("title", year, "genres") if name in file.names]
    broken = BrokenLines()
    raw = file.frame([key, *optional], broken)
    rejects.add("malformed", path, broken.lines, broken.texts)
    numbers, fine = ids.numbers(pa.array(raw[key], type=pa.string()))
    text = raw[[key, *optional]].agg(",".join, axis=1)
    rejects.add("malformed", path, raw["line"][~fine], text[~fine])
    raw = raw.assign(id=numbers)[fine]
    again = raw["id"].duplicated()
    rejects.add("duplicate", path, raw["line"][again], text[fine][again])
    raw = raw[~again].sort_values("id", ignore_index=True)
    years = pd.Series(raw.get(year, pd.Series(index=raw.index, dtype=object)))
    years = pd.to_numeric(years, errors="coerce").astype("Int16")
    genres = genre_lists(raw["genres"], "|") if "genres" in raw else [[] for _ in raw["id"]]
    return items_frame(raw["id"], raw.get("title"), years, genres)


def own_csv(path: Path, columns: Columns, items: Path | None) -> tuple[Source, IdMap, IdMap]:
    """Return a person's CSV as a :class:`Source`, with the maps of its user and item ids.

    The table of items is a CSV too: its id column is called as in the interactions, or
    ``item_id``; ``title``, ``release_year`` (or ``year``) and ``genres`` (joined by ``|``) are
    taken where they are there. With it, interactions with unknown items are set aside.
    """
    file = Delimited(path, ",", None, quoted=True)
    wanted = [columns.user, columns.item, columns.timestamp]
    file.require(wanted + ([columns.rating] if columns.rating else []))
    whole_user, whole_item = _all_whole(file, [columns.user, columns.item])
    rejects = Rejects()
    table = None
    if items is not None:
        item_file = Delimited(items, ",", None, quoted=True)
        key = columns.item if columns.item in item_file.names else "item_id"
        item_file.require([key])
        whole_item = whole_item and _all_whole(item_file, [key])[0]
    user_ids, item_ids = IdMap(whole_user), IdMap(whole_item)
    if items is not None:
        table = _items(items, columns.item, item_ids, rejects)
    names = (columns.user, columns.item, columns.rating, columns.timestamp)
    source = Source("own csv", file, names, None, table, None, None, rejects.frame())
    return source, user_ids, item_ids
