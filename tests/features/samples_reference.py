"""Features of one sample the slow, obvious way: look at all events, keep those strictly before."""

import math
import statistics

import pandas as pd

LIKED = 3.5


def before(events: pd.DataFrame, column: str, value: int, moment: int) -> list:
    """Return the events of one user or item at earlier seconds than ``moment``, as tuples."""
    found = events[(events[column] == value) & (events.timestamp < moment)]
    return list(found.itertuples())


def item_features(item_id: int, moment: int, events: pd.DataFrame, items: pd.DataFrame) -> dict:
    ratings = [event.rating for event in before(events, "item_id", item_id, moment)]
    year, genres = metadata(item_id, items)
    return {
        "release_year": year,
        **{f"item_genre_{k + 1}": genres[k] if k < len(genres) else None for k in range(3)},
        "item_rating_count": len(ratings),
        "item_rating_mean": mean(ratings),
        "item_rating_stddev": deviation(ratings),
    }


def user_features(
    user_id: int, moment: int, events: pd.DataFrame, items: pd.DataFrame, tie: dict
) -> dict:
    history = before(events, "user_id", user_id, moment)
    likes = [event for event in history if event.rating >= LIKED]
    likes.sort(key=lambda event: (event.timestamp, tie[user_id, event.item_id]), reverse=True)
    ratings = [event.rating for event in history]
    years = [metadata(event.item_id, items)[0] for event in history]
    years = [year for year in years if year is not None]
    counts: dict[str, int] = {}
    for event in likes:
        for genre in set(metadata(event.item_id, items)[1]):
            counts[genre] = counts.get(genre, 0) + 1
    favourites = sorted(counts, key=lambda genre: (-counts[genre], genre))
    values = {
        "user_rating_count": len(ratings),
        "user_rating_mean": mean(ratings),
        "user_rating_stddev": deviation(ratings),
        "user_release_year_mean": mean(years),
        "user_release_year_stddev": deviation(years),
    }
    for k in range(5):
        values[f"user_liked_item_{k + 1}"] = likes[k].item_id if k < len(likes) else None
        values[f"user_genre_{k + 1}"] = favourites[k] if k < len(favourites) else None
    return values


def metadata(item_id: int, items: pd.DataFrame) -> tuple[int | None, list[str]]:
    found = items[items.item_id == item_id]
    if found.empty:
        return None, []
    year = found.release_year.iloc[0]
    return (None if pd.isna(year) else int(year)), list(found.genres.iloc[0])


def mean(values: list) -> float | None:
    return statistics.fmean(values) if values else None


def deviation(values: list) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def same(found, expected) -> bool:
    """Compare one value: missing with missing, numbers within single precision."""
    if expected is None:
        return bool(pd.isna(found))
    if isinstance(expected, str) or pd.isna(found):
        return bool(found is not None and not pd.isna(found) and found == expected)
    return math.isclose(found, expected, rel_tol=2e-6, abs_tol=2e-6)
