"""The columns of the reference system's samples, known without Spark."""

from recsys_lib.features.registry import LABEL, N_ITEM_GENRES, N_LIKED_ITEMS, N_USER_GENRES
from recsys_lib.schema import ITEM, RATING, TIMESTAMP, USER

PLAIN, WHOLE, CENTS = "plain", "whole", "cents"

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
