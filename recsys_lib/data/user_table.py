"""A person's own table of interactions, CSV or Parquet, read as it is: raw ids of any kind kept.

Nothing is stored: this is for a table that somebody else's evaluation has cut, whereas
``recsys data get`` makes a data set of a person's file.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from recsys_lib import files
from recsys_lib.data.delimited import BrokenLines, Delimited
from recsys_lib.data.user_file import WHOLE_ID
from recsys_lib.errors import DataError, nearest
from recsys_lib.schema import IMPLICIT_RATING, ITEM, RATING, TIMESTAMP, USER

SEPARATORS = {".csv": ",", ".tsv": "\t", ".inter": "\t"}
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class OwnTable:
    """Interactions with 0-based ids, and what the ids stood for.

    Attributes
    ----------
    interactions : DataFrame
        Columns of :data:`recsys_lib.schema.INTERACTIONS`.
    user_ids, item_ids : Index
        The raw id of each number.
    rejects : dict of str to int
        Rows left out, by reason.
    notes : list of str
        What was taken for a column that is not there.
    """

    interactions: pd.DataFrame
    user_ids: pd.Index
    item_ids: pd.Index
    rejects: dict[str, int]
    notes: list[str] = field(default_factory=list)


def read_interactions(path: Path) -> OwnTable:
    """Read a table with the columns user, item and, if there are, rating and timestamp.

    ``user_id``, ``userID`` and the like are taken too. Without ``rating`` every row is a like;
    without ``timestamp`` later rows are later in time. Rows that cannot be read are left out and
    counted; where a pair repeats, its latest row is kept.

    Raises
    ------
    DataError
        The file or a column is missing, or no row can be read.
    """
    raw, malformed = read_table(path)
    user, item = _column(raw, "user", path), _column(raw, "item", path)
    notes = []
    rating, timestamp = _optional(raw, "rating"), _optional(raw, "timestamp")
    if rating is None:
        notes.append("no column 'rating': every row counts as a like")
        rating = pd.Series(IMPLICIT_RATING, index=raw.index)
    if timestamp is None:
        notes.append("no column 'timestamp': later rows count as later")
        timestamp = pd.Series(np.arange(len(raw)), index=raw.index)
    stars, when = pd.to_numeric(rating, errors="coerce"), _seconds(timestamp)
    wrong = {
        "without a user": _empty(user),
        "without an item": _empty(item),
        "whose rating is no number": ~np.isfinite(stars.to_numpy(float)),
        "whose timestamp is no number or date": ~np.isfinite(when.to_numpy(float)),
    }
    rejects = {"with a wrong number of fields": malformed}
    kept = np.ones(len(raw), bool)
    for reason, bad in wrong.items():
        rejects[reason] = int((kept & bad).sum())
        kept &= ~np.asarray(bad)
    if not kept.any():
        said = ", ".join(f"{n} {reason}" for reason, n in rejects.items() if n) or "it is empty"
        raise DataError(f"{path.name} has no row that can be used: {said}.")
    user_index, user_ids = _numbered(user[kept])
    item_index, item_ids = _numbered(item[kept])
    rows = pd.DataFrame(
        {
            USER: user_index.astype(np.int64),
            ITEM: item_index.astype(np.int64),
            RATING: stars[kept].to_numpy(np.float32),
            TIMESTAMP: when[kept].to_numpy(np.float64).astype(np.int64),
        }
    ).sort_values(TIMESTAMP, kind="stable", ignore_index=True)
    latest = rows.drop_duplicates([USER, ITEM], keep="last", ignore_index=True)
    rejects["that a later row of the same pair replaces"] = len(rows) - len(latest)
    return OwnTable(latest, user_ids, item_ids, {r: n for r, n in rejects.items() if n}, notes)


def read_items(path: Path, item_ids: pd.Index) -> pd.DataFrame:
    """Read a person's item table for items that are known from interactions.

    Columns: item, and what there is of title, release_year (or year), genres and people; the
    last two are lists, or text joined by ``|``.

    Returns
    -------
    DataFrame
        ``item_id`` as :class:`OwnTable` numbers it, and these columns; other items are left out.
    """
    raw, _ = read_table(path)
    # Compared as text: one file may hold numbers where the other holds the same as text.
    number = pd.Index(item_ids.astype(str)).get_indexer(
        _column(raw, "item", path).astype(str).str.strip()
    )
    table = pd.DataFrame({ITEM: number})
    year = _optional(raw, "release_year")
    year = _optional(raw, "year") if year is None else year
    if year is not None:
        table["release_year"] = pd.to_numeric(year, errors="coerce").astype("Float64")
    for name in ("genres", "people"):
        column = _optional(raw, name)
        if column is not None:
            table[name] = [_list(value) for value in column]
    table = table[table[ITEM] >= 0].drop_duplicates(ITEM)
    if table.empty:
        raise DataError(f"{path.name} names none of the items of the interactions.")
    return table.sort_values(ITEM, ignore_index=True)


def read_table(path: Path) -> tuple[pd.DataFrame, int]:
    """Read a CSV (all columns as text) or a Parquet file; also how many lines were malformed."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    ending = ending_of(path)
    if ending in PARQUET:
        try:
            return pq.read_table(path).to_pandas(), 0
        except (OSError, ValueError) as error:
            raise DataError(f"{path.name} cannot be read as Parquet: {error}") from None
    broken = BrokenLines()
    file = Delimited(path, SEPARATORS[ending], None, quoted=True)
    return file.frame(file.names, broken).drop(columns="line"), len(broken.lines)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet, by its ending, atomically."""
    path = Path(path)
    ending = ending_of(path)
    with files.atomic_path(path) as temporary:
        if ending in PARQUET:
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False, sep=SEPARATORS[ending])


def ending_of(path: Path) -> str:
    """Return a file's ending, or say which are known."""
    ending = path.suffix.lower()
    if ending not in SEPARATORS and ending not in PARQUET:
        known = ", ".join([*SEPARATORS, *PARQUET])
        raise DataError(f"{path.name}: the ending tells the format; known are {known}.")
    return ending


def _optional(raw: pd.DataFrame, name: str) -> pd.Series | None:
    wanted = name.replace("_", "")
    for column in raw.columns:
        plain = str(column).lower().replace("_", "")
        if plain in (wanted, wanted + "id"):
            return raw[column]
    return None


def _column(raw: pd.DataFrame, name: str, path: Path) -> pd.Series:
    found = _optional(raw, name)
    if found is None:
        names = [str(column) for column in raw.columns]
        raise DataError(
            f"{path.name} has no column {name!r}.{nearest(name, names)} Its columns: "
            f"{', '.join(map(repr, names))}."
        )
    return found


def _empty(ids: pd.Series) -> np.ndarray:
    text = ids.dtype == object
    return (ids.isna() | (ids.astype(str).str.strip() == "" if text else False)).to_numpy()


def _numbered(ids: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Number ids from 0 in sorted order; text that is whole numbers throughout becomes numbers."""
    if ids.dtype == object and ids.map(type).eq(str).all():
        ids = ids.str.strip()
        if ids.str.fullmatch(WHOLE_ID).all():  # '007' is no whole number: it would not come back
            ids = ids.astype(np.int64)
    codes, known = pd.factorize(ids, sort=True)
    return codes, pd.Index(known)


def _seconds(timestamp: pd.Series) -> pd.Series:
    """Return Unix seconds as float64, NaN where there are none; dates are taken as UTC."""
    if not pd.api.types.is_datetime64_any_dtype(timestamp):
        numbers = pd.to_numeric(timestamp, errors="coerce")
        if numbers.notna().any():
            return numbers.astype(np.float64)
        timestamp = pd.to_datetime(timestamp, errors="coerce", utc=True, format="ISO8601")
    if timestamp.dt.tz is None:
        timestamp = timestamp.dt.tz_localize("UTC")
    return (timestamp - pd.Timestamp(0, tz="UTC")).dt.total_seconds()


def _list(value) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split("|") if part.strip()]
    return [] if value is None or np.isscalar(value) else [str(part) for part in value]
