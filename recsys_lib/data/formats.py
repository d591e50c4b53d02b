"""The published formats: GroupLens' tab, '::' and csv, and RecBole's atomic files.

Each reader gives a :class:`Source`: where the interactions lie, and the small tables in
canonical form. A format is recognised by its files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys_lib.data.catalog import HALF_STARS, RatingScale
from recsys_lib.data.delimited import BrokenLines, Delimited
from recsys_lib.data.validation import whole_numbers
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


@dataclass(frozen=True)
class Source:
    """Data as somebody else wrote it. Tables are canonical (schema.py) or None.

    ``columns`` are the file's names of user, item, rating (None: every row is a like) and
    timestamp. ``rejects`` holds the set-aside lines of the small tables.
    """

    format: str
    interactions: Delimited
    columns: tuple[str, str, str | None, str]
    scale: RatingScale | None
    items: pd.DataFrame | None
    users: pd.DataFrame | None
    triples: pd.DataFrame | None
    rejects: pd.DataFrame


class Rejects:
    """Collects set-aside lines of the small tables."""

    def __init__(self):
        self._parts: list[pd.DataFrame] = []

    def add(self, reason: str, path: Path, lines, texts) -> None:
        """Note lines (numbers, texts) of a file that were set aside for one reason."""
        rows = {"reason": reason, "file": path.name, "line": list(lines), "text": list(texts)}
        self._parts.append(pd.DataFrame(rows))

    def frame(self) -> pd.DataFrame:
        """Return all of them: reason, file, line, text."""
        parts = [part for part in self._parts if len(part)]
        if not parts:
            return pd.DataFrame(columns=["reason", "file", "line", "text"])
        return pd.concat(parts, ignore_index=True)


def small_table(source: Delimited, id_column: str, columns: list[str], rejects: Rejects):
    """Read a table of items or users; rows with no usable id, or a repeated one, go aside."""
    broken = BrokenLines()
    frame = source.frame([id_column, *columns], broken)
    rejects.add("malformed", source.path, broken.lines, broken.texts)
    ids, fine = whole_numbers(pa.array(frame[id_column], type=pa.string()))
    texts = frame[[id_column, *columns]].agg(source.separator.join, axis=1)
    rejects.add("malformed", source.path, frame["line"][~fine], texts[~fine])
    frame = frame.assign(id=ids)[fine]
    again = frame["id"].duplicated()
    rejects.add("duplicate", source.path, frame["line"][again], texts[fine][again])
    return frame[~again].drop(columns=[id_column, "line"]).sort_values("id", ignore_index=True)


def split_title(titles: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Split 'Toy Story (1995)' into title and year (Int16); a title without a year keeps null."""
    parts = titles.str.extract(r"^(?P<title>.*?)\s*\((?P<year>\d{4})\)\s*(?:\(V\))?\s*$")
    year = pd.to_numeric(parts["year"], errors="coerce").astype("Int16")
    return parts["title"].where(year.notna(), titles.str.strip()), year


def genre_lists(text: pd.Series, separator: str) -> pd.Series:
    """Split 'Action|Sci-Fi' into lists; '(no genres listed)' and '' give empty ones."""
    lists = text.where(text != NO_GENRES, "").str.split(separator)
    return lists.map(lambda genres: [genre for genre in genres if genre])


def items_frame(item_id, title, release_year, genres, entity_id=None) -> pd.DataFrame:
    """Return the canonical table of items from its columns."""
    return pd.DataFrame(
        {
            "item_id": item_id,
            "title": title,
            "release_year": release_year,
            "genres": genres,
            "entity_id": entity_id,
        }
    )


def _recbole(path: Path, scale: RatingScale | None) -> Source:
    rejects, tables = Rejects(), {}
    for kind in ("item", "user", "link", "kg"):
        file = path.with_suffix(f".{kind}")
        tables[kind] = Delimited(file, "\t", None) if file.exists() else None
    items = users = triples = None
    entity_of = {}
    if tables["link"]:
        links = small_table(tables["link"], "item_id", ["entity_id"], rejects)
        entity_of = links.set_index("id")["entity_id"]
    if tables["item"]:
        names = ["movie_title", "release_year", "class"]
        raw = small_table(tables["item"], "item_id", names, rejects)
        year = pd.to_numeric(raw["release_year"], errors="coerce").astype("Int16")
        # RecBole joins a film's genres by spaces; no MovieLens genre of one word has any.
        genres = genre_lists(raw["class"], " ")
        entity = raw["id"].map(entity_of)
        items = items_frame(raw["id"], raw["movie_title"], year, genres, entity)
    if tables["user"]:
        names = ["age", "gender", "occupation", "zip_code"]
        raw = small_table(tables["user"], "user_id", names, rejects)
        users = raw.assign(age=_ages(raw["age"])).rename(columns={"id": "user_id"})
    if tables["kg"]:
        names, broken = ["head_id", "relation_id", "tail_id"], BrokenLines()
        raw = tables["kg"].frame(names, broken)
        rejects.add("malformed", tables["kg"].path, broken.lines, broken.texts)
        triples = raw[names].set_axis(["head", "relation", "tail"], axis=1)
    columns = tuple(RATING_COLUMNS)
    inter = Delimited(path, "\t", None)
    return Source("recbole", inter, columns, scale, items, users, triples, rejects.frame())


def _ages(text: pd.Series) -> pd.Series:
    return pd.to_numeric(text, errors="coerce").astype("Int16")


def _tab(path: Path, scale: RatingScale | None) -> Source:
    rejects = Rejects()
    items = users = None
    item_file, user_file = path.with_name("u.item"), path.with_name("u.user")
    if item_file.exists():
        flags = [f"genre_{i}" for i in range(len(ML_100K_GENRES))]
        names = ["item_id", "title", "released", "video", "url", *flags]
        source = Delimited(item_file, "|", names)
        raw = small_table(source, "item_id", ["title", "released", *flags], rejects)
        title, year = split_title(raw["title"])
        released = pd.to_numeric(raw["released"].str[-4:], errors="coerce").astype("Int16")
        on = raw[flags].to_numpy() == "1"
        genres = [list(np.asarray(ML_100K_GENRES, dtype=object)[row]) for row in on]
        items = items_frame(raw["id"], title, year.fillna(released), genres)
    if user_file.exists():
        names = ["age", "gender", "occupation", "zip_code"]
        raw = small_table(Delimited(user_file, "|", ["user_id", *names]), "user_id", names, rejects)
        users = raw.assign(age=_ages(raw["age"])).rename(columns={"id": "user_id"})
    inter = Delimited(path, "\t", RATING_COLUMNS)
    columns = tuple(RATING_COLUMNS)
    return Source("grouplens tab", inter, columns, scale, items, users, None, rejects.frame())


def _double_colon(path: Path, scale: RatingScale | None) -> Source:
    rejects = Rejects()
    items = users = None
    item_file, user_file = path.with_name("movies.dat"), path.with_name("users.dat")
    if item_file.exists():
        source = Delimited(item_file, "::", ["item_id", "title", "genres"])
        items = _titled_items(small_table(source, "item_id", ["title", "genres"], rejects))
    if user_file.exists():
        names = ["gender", "age", "occupation", "zip_code"]
        source = Delimited(user_file, "::", ["user_id", *names])
        raw = small_table(source, "user_id", names, rejects)
        occupations = {str(code): name for code, name in enumerate(ML_1M_OCCUPATIONS)}
        users = raw.assign(
            age=_ages(raw["age"]), occupation=raw["occupation"].map(occupations)
        ).rename(columns={"id": "user_id"})
    inter = Delimited(path, "::", RATING_COLUMNS)
    columns = tuple(RATING_COLUMNS)
    return Source("grouplens ::", inter, columns, scale, items, users, None, rejects.frame())


def _titled_items(raw: pd.DataFrame) -> pd.DataFrame:
    title, year = split_title(raw["title"])
    return items_frame(raw["id"], title, year, genre_lists(raw["genres"], "|"))


def _csv(path: Path, scale: RatingScale | None) -> Source:
    rejects = Rejects()
    item_file = path.with_name("movies.csv")
    items = None
    if item_file.exists():
        source = Delimited(item_file, ",", None, quoted=True)
        items = _titled_items(small_table(source, "movieId", ["title", "genres"], rejects))
    inter = Delimited(path, ",", None, quoted=True)
    columns = ("userId", "movieId", "rating", "timestamp")
    return Source("grouplens csv", inter, columns, scale, items, None, None, rejects.frame())


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
            f"{folder.name} holds none of {', '.join(READERS)}, so its format is unknown. A CSV "
            "of your own: --from FILE --columns user=...,item=...,rating=...,timestamp=..."
        )
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path, _ in found[:5])
        raise DataError(f"{folder.name} holds more than one data set ({names}); give one of them.")
    path, reader = found[0]
    default = None if reader is _recbole else HALF_STARS
    return reader(path, scale or default)
