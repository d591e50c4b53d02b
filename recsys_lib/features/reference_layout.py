"""The CSV layout of the reference system's samples: its columns, and how it writes their values."""

import re
from itertools import zip_longest
from pathlib import Path

from recsys_lib.data.delimited import Delimited, read_records
from recsys_lib.data.line_numbers import BrokenLines
from recsys_lib.data.text_stream import encoding_of
from recsys_lib.errors import DataError
from recsys_lib.features.declarations import (
    FEATURES,
    LABEL,
    N_ITEM_GENRES,
    N_LIKED_ITEMS,
    N_USER_GENRES,
)
from recsys_lib.schema import ITEM, RATING, TIMESTAMP, USER

PLAIN, WHOLE, CENTS = "plain", "whole", "cents"  # as it is, without or with two decimals
MALFORMED = "malformed"  # why a line is set aside

# How a whole number and any other number are written; nothing else is taken for one.
# pandas writes 7 as 7.0 where a value of the column is missing; up to 15 digits none is lost by it.
WHOLE_NUMBER = r"^[+-]?(\d+|\d{1,15}\.0+)$"
POINT_AND_ZEROS = r"\.0+$"
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"

# Our column -> (the reference's, how it writes the value), in its order.
LAYOUT: dict[str, tuple[str, str]] = {
    ITEM: ("movieId", PLAIN),
    USER: ("userId", PLAIN),
    RATING: ("rating", PLAIN),
    TIMESTAMP: ("timestamp", PLAIN),
    LABEL: ("label", PLAIN),
    "release_year": ("releaseYear", PLAIN),
    **{f"item_genre_{k}": (f"movieGenre{k}", PLAIN) for k in range(1, N_ITEM_GENRES + 1)},
    "item_rating_count": ("movieRatingCount", PLAIN),
    "item_rating_mean": ("movieAvgRating", CENTS),
    "item_rating_stddev": ("movieRatingStddev", CENTS),
    **{f"user_liked_item_{k}": (f"userRatedMovie{k}", PLAIN) for k in range(1, N_LIKED_ITEMS + 1)},
    "user_rating_count": ("userRatingCount", PLAIN),
    "user_release_year_mean": ("userAvgReleaseYear", WHOLE),
    "user_release_year_stddev": ("userReleaseYearStddev", CENTS),
    "user_rating_mean": ("userAvgRating", CENTS),
    "user_rating_stddev": ("userRatingStddev", CENTS),
    **{f"user_genre_{k}": (f"userGenre{k}", PLAIN) for k in range(1, N_USER_GENRES + 1)},
}
THEIR_NAMES = [name for name, _ in LAYOUT.values()]


def checked_files(path: Path) -> list[Path]:
    """Return the CSV file, or the files of a folder; each must have the header of the layout.

    Raises
    ------
    DataError
        There is no file, or a header is another one.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise DataError(f"There is no CSV file at {path}.")
    for file in files:
        found = next(iter(read_records(file, encoding_of(file), ",", True, 1)), [])
        if found != THEIR_NAMES:
            wrong = [f"{f!r} for {e!r}" for f, e in zip_longest(found, THEIR_NAMES) if f != e]
            raise DataError(
                f"{file} is not in the reference's layout: its header has {', '.join(wrong[:3])}. "
                f"It must be: {','.join(THEIR_NAMES)}"
            )
    return files


def misfits(files: list[Path], n: int = 3) -> list[str]:
    """Return the first values that do not fit the layout, with file, line and column, in words."""
    said = []
    for file in files:
        table = Delimited(file, ",", None, quoted=True)
        broken = BrokenLines()
        for rows in table.blocks(table.names, broken):
            for name, (column, _) in LAYOUT.items():
                kind = FEATURES[name]
                texts = rows.columns[column].to_pandas().str.strip()
                pattern = {"string": "", "float32": NUMBER}.get(kind.dtype, WHOLE_NUMBER)
                fits = texts.map(lambda text, p=pattern: re.search(p, text) is not None)
                wrong = ~(fits | ((texts == "") & kind.nullable)).astype(bool)
                for line, text in zip(rows.lines[wrong][:n], texts[wrong][:n], strict=True):
                    said.append((line, f"{file.name}, line {line:,}: {column} {text!r}"))
            if len(said) >= n:
                break
        for line, text in zip(broken.lines[:n], broken.texts[:n], strict=True):
            said.append((line, f"{file.name}, line {line:,}: {text[:60]!r}"))
    return [sentence for _, sentence in sorted(said)[:n]]
