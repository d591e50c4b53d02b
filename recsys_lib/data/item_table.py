"""A person's own table of items: ids as in the interactions, titles, years, genres, people."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib.data.columns import ITEM_ROLES, resolve_columns
from recsys_lib.data.formats import NO_GENRES, SmallTable, items_frame, years
from recsys_lib.data.id_reader import IdReader
from recsys_lib.data.ids import raw_of
from recsys_lib.data.interactions import Interactions
from recsys_lib.data.line_numbers import BrokenLines
from recsys_lib.data.moments import Moments
from recsys_lib.data.reading import preview
from recsys_lib.data.rejects import DUPLICATE, broken_lines, rejects
from recsys_lib.data.tables import Table, TextForm, open_table
from recsys_lib.data.values import as_series, numbers_of, text_of
from recsys_lib.errors import DataError
from recsys_lib.schema import ITEM

SEPARATOR = "|"  # of a list in a text


def read_items(
    path: Path, named: Mapping[str, str] | None = None, form: TextForm | None = None
) -> tuple[SmallTable, list[pd.DataFrame], list[str]]:
    """Read a table of items.

    Parameters
    ----------
    path : Path
        Anything that :func:`recsys_lib.data.tables.open_table` opens.
    named : dict of str to str, optional
        Its columns by role: item, title, year, genres, people. None takes those that are called as
        usual; where some are named, the others are left out.
    form : TextForm, optional

    Returns
    -------
    items : SmallTable
        With the columns ``title``, ``release_year``, ``genres``, ``entity_id`` and, where the table
        has it, ``people``; the last and ``genres`` are lists.
    rejects : list of DataFrame
    notes : list of str
        Its first rows, how its columns are understood, and which years are none.

    Raises
    ------
    DataError
        The table cannot be read, has no column of items, or no rows.
    """
    table = open_table(path, form)
    columns = resolve_columns(
        table.names, named, ITEM_ROLES, ("item",), table.path.name, "--item-columns"
    )
    broken, parts, lines = BrokenLines(), [], []
    for rows in table.blocks(list(columns.values()), broken):
        parts.append({role: as_series(rows.columns[name]) for role, name in columns.items()})
        lines.append(rows.lines)
    raw = {
        role: pd.concat([part[role] for part in parts], ignore_index=True) if parts else pd.Series()
        for role in columns
    }
    places = np.concatenate([np.empty(0, dtype=np.int64), *lines])
    notes = preview(table, columns)
    year = None
    if "year" in raw:
        year = _years(raw["year"], places, f"{table.path.name}: {columns['year']}", table, notes)
    title = text_of(raw["title"]).replace("", None) if "title" in raw else None
    genres = raw["genres"].map(lists) if "genres" in raw else [[] for _ in places]
    frame = items_frame(title, year, genres, index=range(len(places)))
    if "people" in raw:
        frame["people"] = raw["people"].map(lists)
    items = SmallTable(table.path.name, raw["item"], places, frame, table.is_text)
    return items, [broken_lines(table.path.name, broken)], notes


def numbered(table: SmallTable, reader: IdReader, id_column: str, aside) -> pd.DataFrame:
    """Give a small table the numbers of its ids, each once, in their order.

    Rows without an id, or with one that came before, go to ``aside``.
    """
    ids, ((no_id, reason),) = reader.read(table.ids)
    again = pd.Series(ids).where(~no_id).duplicated().to_numpy() & ~no_id
    for mask, why in ((no_id, reason), (again, DUPLICATE)):
        values = text_of(table.ids[mask])
        aside.add(rejects(table.file, table.lines[mask], id_column, values, why))
    frame = table.frame.assign(**{id_column: ids})[~(no_id | again)]
    return frame.sort_values(id_column, ignore_index=True)


def items_for(interactions: Interactions, table: SmallTable, aside) -> pd.DataFrame:
    """Return those of a person's items that have interactions, with the ids as these have them.

    A row that names no item, or one that came before, goes to ``aside``.

    Raises
    ------
    DataError
        No item of the table is among the interactions.
    """
    reader = IdReader("the column of items")
    reader.look(table.ids, table.is_text)
    reader.decide()
    items = numbered(table, reader, ITEM, aside)
    codes = interactions.item_codes(raw_of(reader.ids, items[ITEM]))
    known = np.isin(codes, interactions.frame[ITEM].unique())
    if not known.any():
        raise DataError(f"{table.file} names none of the items of the interactions.")
    items = items[known].assign(**{ITEM: interactions.items(codes[known])})
    return items.iloc[np.argsort(codes[known])].reset_index(drop=True)


def lists(value) -> list[str]:
    """Return a list of texts from a list, or from text joined by ``|``."""
    if isinstance(value, str):
        value = "" if value == NO_GENRES else value
        return [part.strip() for part in value.split(SEPARATOR) if part.strip()]
    if value is None or np.isscalar(value):
        return []
    return [str(part) for part in value if part is not None]


def _years(values, lines: np.ndarray, name: str, table: Table, notes: list[str]) -> pd.Series:
    """Return years; a date gives its year, and what is neither is left empty and noted."""
    numbers, is_number = numbers_of(values)
    found = years(pd.Series(numbers).where(is_number))
    open_ = found.isna().to_numpy() & (text_of(values).str.strip() != "").to_numpy()
    if open_.any():
        moments = Moments("date")
        moments.latest = np.iinfo(np.int64).max
        seconds, (none, *_) = moments.read(as_series(values)[open_])
        dated = pd.Series(seconds.astype("datetime64[s]")).dt.year
        found[open_] = years(dated.where(~none.mask).astype("Float64")).to_numpy()
    left = np.flatnonzero(found.isna().to_numpy() & open_)
    if len(left):
        example = text_of(values).iloc[left[0]]
        values_are = "value is" if len(left) == 1 else "values are"
        notes.append(
            f"{name}: {len(left):,} {values_are} no year, such as {example!r} ({table.place} "
            f"{lines[left[0]]:,}), and left empty."
        )
    return found
