"""The published formats: GroupLens' tab, '::' and csv, and RecBole's atomic files.

Each reader gives a :class:`Source`: where the interactions lie, and the small tables. A format is
recognised by its files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys_lib.data.catalog import HALF_STARS, RatingScale
from recsys_lib.data.delimited import Delimited
from recsys_lib.data.line_numbers import BrokenLines
from recsys_lib.data.rejects import broken_lines
from recsys_lib.data.tables import Table
from recsys_lib.data.text_stream import utf8_or_latin1
from recsys_lib.errors import DataError

RATING_COLUMNS = ["user_id", "item_id", "rating", "timestamp"]
NO_GENRES = "(no genres listed)"
ML_100K_GENRES = [
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
]
# MovieLens 1M codes occupations by number (its README); ages are the lower end of a bracket.
ML_1M_OCCUPATIONS = [
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student"),
    *("customer service", "doctor/health care", "executive/managerial", "farmer", "homemaker"),
    *("K-12 student", "lawyer", "programmer", "retired", "sales/marketing", "scientist"),
    *("self-employed", "technician/engineer", "tradesman/craftsman", "unemployed", "writer"),
]


class SmallTable(NamedTuple):
    """A table of items or users whose ids are still as written.

    Attributes
    ----------
    file : str
        Its name, for what is set aside.
    ids : Series or array, shape (n,)
    lines : int64 array, shape (n,)
    frame : DataFrame
        The other columns, in canonical form.
    is_text : bool
        Whether it comes from a text file, where everything is text.
    """

    file: str
    ids: pd.Series
    lines: np.ndarray
    frame: pd.DataFrame
    is_text: bool = True


@dataclass(frozen=True)
class Source:
    """Data as somebody else wrote it.

    Attributes
    ----------
    format : str
    table : Table
        The interactions.
    columns : dict of str to str
        The table's name of a column, by role.
    scale : RatingScale, optional
        Ratings off it are set aside.
    items, users : SmallTable, optional
    triples : DataFrame, optional
        In canonical form.
    rejects : list of DataFrame
        The broken lines of the small tables.
    whole_ids : bool
        Whether the format allows no ids but whole numbers.
    """

    format: str
    table: Table
    columns: Mapping[str, str]
    scale: RatingScale | None
    items: SmallTable | None = None
    users: SmallTable | None = None
    triples: pd.DataFrame | None = None
    rejects: Sequence[pd.DataFrame] = ()
    whole_ids: bool = False


def small_table(source: Delimited, columns: list[str], aside: list) -> pd.DataFrame:
    """Read a small table; broken lines go to ``aside``."""
    broken = BrokenLines()
    frame = source.frame(columns, broken)
    aside.append(broken_lines(source.path.name, broken))
    return frame


def split_title(titles: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Split 'Toy Story (1995)' into title and year (Int16); a title without a year keeps null."""
    parts = titles.str.extract(r"^(?P<title>.*?)\s*\((?P<year>\d{4})\)\s*(?:\(V\))?\s*$")
    year = pd.to_numeric(parts["year"], errors="coerce").astype("Int16")
    return parts["title"].where(year.notna(), titles.str.strip()), year


def years(numbers: pd.Series) -> pd.Series:
    """Return years as Int16, null where a number is no year."""
    right = numbers.between(1, 9_999) & (numbers % 1 == 0)
    return numbers.where(right).astype("Int16")


def genre_lists(text: pd.Series, separator: str) -> pd.Series:
    """Split 'Action|Sci-Fi' into lists; '(no genres listed)' and '' give empty ones."""
    lists = text.where(text != NO_GENRES, "").str.split(separator)
    return lists.map(lambda genres: [genre for genre in genres if genre])


def items_frame(title, release_year, genres, entity_id=None, index=None) -> pd.DataFrame:
    """Return the canonical table of items, without their ids, from its columns."""
    return pd.DataFrame(
        {
            "title": title,
            "release_year": release_year,
            "genres": genres,
            "entity_id": entity_id,
        },
        index=index,
    )


def _recbole(path: Path, scale: RatingScale | None) -> Source:
    aside: list[pd.DataFrame] = []
    tables = {}
    for kind in ("item", "user", "link", "kg"):
        file = path.with_suffix(f".{kind}")
        tables[kind] = Delimited(file, "\t", None) if file.exists() else None
    items = users = triples = None
    entity_of: Mapping = {}
    if tables["link"]:
        links = small_table(tables["link"], ["item_id", "entity_id"], aside)
        entity_of = links.drop_duplicates("item_id").set_index("item_id")["entity_id"]
    if tables["item"]:
        raw = _with_all(tables["item"], "item_id", ["movie_title", "release_year", "class"], aside)
        year = pd.to_numeric(raw["release_year"], errors="coerce")
        # RecBole joins a film's genres by spaces; no MovieLens genre of one word has any.
        genres = genre_lists(raw["class"], " ")
        entity = raw["item_id"].map(entity_of)
        items = _keyed(
            tables["item"], raw, items_frame(raw["movie_title"], years(year), genres, entity)
        )
    if tables["user"]:
        users = _users(tables["user"], aside)
    if tables["kg"]:
        raw = small_table(tables["kg"], ["head_id", "relation_id", "tail_id"], aside)
        triples = raw.drop(columns="line").set_axis(["head", "relation", "tail"], axis=1)
    inter = Delimited(path, "\t", None)
    columns = {role: name for role, name in _roles(RATING_COLUMNS).items() if name in inter.names}
    return Source("recbole", inter, columns, scale, items, users, triples, aside)


def _with_all(source: Delimited, key: str, columns: list[str], aside: list) -> pd.DataFrame:
    """Read a table of which only the ids must be there; other columns are empty where absent."""
    raw = small_table(source, [key, *(name for name in columns if name in source.names)], aside)
    return raw.reindex(columns=[*raw.columns, *(c for c in columns if c not in raw)], fill_value="")


def _keyed(source: Delimited, raw: pd.DataFrame, frame: pd.DataFrame) -> SmallTable:
    return SmallTable(source.path.name, raw.iloc[:, 0], raw["line"].to_numpy(np.int64), frame)


def _users(source: Delimited, aside: list, occupations: Mapping | None = None) -> SmallTable:
    names = ["age", "gender", "occupation", "zip_code"]
    raw = _with_all(source, "user_id", names, aside)
    frame = raw[names].assign(age=pd.to_numeric(raw["age"], errors="coerce").astype("Int16"))
    if occupations is not None:
        frame["occupation"] = frame["occupation"].map(occupations)
    return _keyed(source, raw, frame)


def _roles(columns: Sequence[str]) -> dict[str, str]:
    return dict(zip(("user", "item", "rating", "timestamp"), columns, strict=True))


def _tab(path: Path, scale: RatingScale | None) -> Source:
    aside: list[pd.DataFrame] = []
    items = users = None
    item_file, user_file = path.with_name("u.item"), path.with_name("u.user")
    if item_file.exists():
        flags = [f"genre_{i}" for i in range(len(ML_100K_GENRES))]
        names = ["item_id", "title", "released", "video", "url", *flags]
        source = Delimited(item_file, "|", names, encoding=utf8_or_latin1(item_file))
        raw = small_table(source, ["item_id", "title", "released", *flags], aside)
        title, year = split_title(raw["title"])
        released = pd.to_numeric(raw["released"].str[-4:], errors="coerce").astype("Int16")
        on = raw[flags].to_numpy() == "1"
        genres = [list(np.asarray(ML_100K_GENRES, dtype=object)[row]) for row in on]
        items = _keyed(source, raw, items_frame(title, year.fillna(released), genres))
    if user_file.exists():
        names = ["user_id", "age", "gender", "occupation", "zip_code"]
        users = _users(Delimited(user_file, "|", names), aside)
    table = Delimited(path, "\t", RATING_COLUMNS)
    columns = _roles(RATING_COLUMNS)
    return Source("grouplens tab", table, columns, scale, items, users, None, aside, True)


def _double_colon(path: Path, scale: RatingScale | None) -> Source:
    aside: list[pd.DataFrame] = []
    items = users = None
    item_file, user_file = path.with_name("movies.dat"), path.with_name("users.dat")
    if item_file.exists():
        names, encoding = ["item_id", "title", "genres"], utf8_or_latin1(item_file)
        items = _titled_items(Delimited(item_file, "::", names, encoding=encoding), names, aside)
    if user_file.exists():
        names = ["user_id", "gender", "age", "occupation", "zip_code"]
        occupations = {str(code): name for code, name in enumerate(ML_1M_OCCUPATIONS)}
        users = _users(Delimited(user_file, "::", names), aside, occupations)
    table = Delimited(path, "::", RATING_COLUMNS)
    columns = _roles(RATING_COLUMNS)
    return Source("grouplens ::", table, columns, scale, items, users, None, aside, True)


def _titled_items(source: Delimited, columns: list[str], aside: list) -> SmallTable:
    raw = small_table(source, columns, aside)
    title, year = split_title(raw["title"])
    return _keyed(source, raw, items_frame(title, year, genre_lists(raw["genres"], "|")))


def _csv(path: Path, scale: RatingScale | None) -> Source:
    aside: list[pd.DataFrame] = []
    item_file = path.with_name("movies.csv")
    items = None
    if item_file.exists():
        source = Delimited(item_file, ",", None, True, utf8_or_latin1(item_file))
        items = _titled_items(source, ["movieId", "title", "genres"], aside)
    table = Delimited(path, ",", None, quoted=True)
    columns = _roles(["userId", "movieId", "rating", "timestamp"])
    table.require(list(columns.values()))
    return Source("grouplens csv", table, columns, scale, items, None, None, aside, True)


READERS: dict[str, Callable[[Path, RatingScale | None], Source]] = {
    "*.inter": _recbole,
    "u.data": _tab,
    "ratings.dat": _double_colon,
    "ratings.csv": _csv,
}


def recognise(folder: Path, scale: RatingScale | None = None) -> Source:
    """Return the data in ``folder`` (or below it) by the file that marks its format.

    Parameters
    ----------
    scale
        What ratings the data set allows; None takes MovieLens' half stars for the GroupLens
        formats, and any finite number for RecBole's.

    Raises
    ------
    DataError
        No such file, or several.
    """
    found = [
        (path, reader)
        for mark, reader in READERS.items()
        for path in sorted(folder.rglob(mark))
        if "__MACOSX" not in path.parts
    ]
    if not found:
        raise DataError(
            f"{folder.name} holds none of {', '.join(READERS)}, so its format is unknown. A table "
            "of your own: --from FILE --columns user=...,item=...,rating=...,timestamp=..."
        )
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path, _ in found[:5])
        raise DataError(f"{folder.name} holds more than one data set ({names}); give one of them.")
    path, reader = found[0]
    default = None if reader is _recbole else HALF_STARS
    return reader(path, scale or default)
