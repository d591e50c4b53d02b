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


def further_features(
    user_id: int,
    item_id: int,
    moment: int,
    events: pd.DataFrame,
    users: pd.DataFrame,
    ties: list[tuple[set, list]],
) -> dict:
    """The columns of relation, attribute and context that the reference system does not have."""
    values = {"hour": moment // 3600 % 24, "weekday": (moment // 86400 + 3) % 7}
    for who, value in (("user", user_id), ("item", item_id)):
        times = [event.timestamp for event in before(events, f"{who}_id", value, moment)]
        for when, time in (("first", min(times, default=None)), ("last", max(times, default=None))):
            values[f"{who}_{when}_timestamp"] = time
            values[f"{who}_days_since_{when}"] = None if time is None else (moment - time) / 86400
    formed = [sorted(times) for pair, times in ties if user_id in pair]
    values["user_weak_ties"] = sum(times[0] < moment for times in formed)
    values["user_strong_ties"] = sum(len(times) > 4 and times[4] < moment for times in formed)
    known = users[users.user_id == user_id].to_dict("records")
    for name in ("age", "gender", "occupation"):
        values[f"user_{name}"] = known[0][name] if known else None
    values["user_region"] = known[0]["zip_code"][:1] or None if known else None
    return values


def ties_of(events: pd.DataFrame, tie: dict, neighbours: int) -> list[tuple[set, list]]:
    """Return pairs of users and the times at which they came to like a same film."""
    pairs: dict[frozenset, list] = {}
    for _, likes in events[events.rating >= LIKED].groupby("item_id"):
        fans = sorted(
            likes.itertuples(),
            key=lambda event: (event.timestamp, tie[event.user_id, event.item_id]),
        )
        for place, fan in enumerate(fans):
            for other in fans[max(0, place - neighbours) : place]:
                pairs.setdefault(frozenset((fan.user_id, other.user_id)), []).append(fan.timestamp)
    return list(pairs.items())


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
