"""The CSV layout of the reference system's samples: its columns, and how it writes their values."""

import csv
from itertools import zip_longest
from pathlib import Path

from recsys_lib.errors import DataError
from recsys_lib.features.declarations import LABEL, N_ITEM_GENRES, N_LIKED_ITEMS, N_USER_GENRES
from recsys_lib.schema import ITEM, RATING, TIMESTAMP, USER

PLAIN, WHOLE, CENTS = "plain", "whole", "cents"  # as it is, without or with two decimals
MALFORMED = "malformed"  # why a line is set aside

# How a whole number and any other number are written; nothing else is taken for one.
WHOLE_NUMBER = r"^[+-]?\d+$"
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
        with open(file, encoding="utf-8-sig", newline="") as stream:
            found = next(csv.reader(stream), [])
        if found != THEIR_NAMES:
            wrong = [f"{f!r} for {e!r}" for f, e in zip_longest(found, THEIR_NAMES) if f != e]
            raise DataError(
                f"{file} is not in the reference's layout: its header has {', '.join(wrong[:3])}. "
                f"It must be: {','.join(THEIR_NAMES)}"
            )
    return files
