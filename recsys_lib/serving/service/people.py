"""The users as a person sees them: what they had, which genres they like, how that changed."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.data import Dataset
from recsys_lib.data.ids import raw_of
from recsys_lib.data.matrix import index_of
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER
from recsys_lib.serving.balancing import key_position
from recsys_lib.serving.service.catalogue import Catalogue
from recsys_lib.serving.service.journal import Event, Journal

PERIODS = 8  # of the picture of taste over time, of equally many films each
FEWEST_A_PERIOD = 3
STRANGERS = 2**62  # their numbers begin here
BAND_YEARS = 10  # of the age in a segment
FEWEST_IN_SEGMENT = 3  # users
LARGEST_SAMPLE = 5_000  # users from whom the lists of segments are counted


@dataclass(frozen=True)
class Person:
    """A user at one moment.

    Attributes
    ----------
    user : str
        The person's id, as text.
    code : int
        The whole number inside.
    events : DataFrame
        All that holds, in order of time: columns of :data:`recsys_lib.schema.INTERACTIONS`.
    dismissed : int64 array
        Items that are not to be shown.
    version : int
        Grows with every event that the service took of this user.
    """

    user: str
    code: int
    events: pd.DataFrame
    dismissed: np.ndarray
    version: int

    @property
    def is_known(self) -> bool:
        """Whether the data set holds this user."""
        return self.code < STRANGERS

    @property
    def had(self) -> np.ndarray:
        """Items that are never shown: int64, those the user had and those dismissed."""
        return np.concatenate([self.events[ITEM].to_numpy(np.int64), self.dismissed])


class People:
    """The users of a data set, and what they have done since.

    Parameters
    ----------
    data : Dataset
    catalogue : Catalogue
    journal : Journal
    """

    def __init__(self, data: Dataset, catalogue: Catalogue, journal: Journal):
        self.catalogue = catalogue
        self.journal = journal
        events = data.interactions.drop_duplicates([USER, ITEM], keep="last")
        self._events = events.sort_values([USER, TIMESTAMP], kind="stable", ignore_index=True)
        self.user_ids, starts = np.unique(self._events[USER].to_numpy(), return_index=True)
        self._bounds = np.append(starts, len(self._events))
        self._shown = [str(each) for each in raw_of(data.user_ids, self.user_ids)]
        self._codes = dict(zip(self._shown, self.user_ids.tolist(), strict=True))
        self._about = None if data.users is None else data.users.set_index(USER)
        self.has_moments = TIMESTAMP in data.columns
        self.has_ratings = RATING in data.columns

    def __len__(self) -> int:
        return len(self.user_ids)

    def get(self, user: str) -> Person:
        """Return a user as of now; one who is not in the data set has only new events."""
        known = self.code_of(user)
        # A stranger's number is one that no data set has, and the same in every process.
        code = STRANGERS + key_position(user) % STRANGERS if known is None else known
        # The version first: an event in between makes this person newer than the version says,
        # which the next look mends; the other way round an old list could pass for a new one.
        version = self.journal.count(user)
        events, dismissed = self._events_of(code), np.empty(0, np.int64)
        if version:
            events, dismissed = self._with_journal(code, events, self.journal.of_user(user))
        return Person(user, code, events, dismissed, version)

    def code_of(self, user: str) -> int | None:
        """Return the whole number of a user of the data set, or None."""
        return self._codes.get(user)

    def find(self, text: str, k: int = 20) -> list[dict]:
        """Return users whose id begins with a text, those with most events first."""
        shown = self._shown
        rows = [row for row, each in enumerate(shown) if each.startswith(text.strip())]
        sizes = np.diff(self._bounds)
        rows.sort(key=lambda row: (shown[row] != text.strip(), -sizes[row]))
        return [{"user_id": shown[row], "items": int(sizes[row])} for row in rows[:k]]

    def profile(self, person: Person, recent: int = 24) -> dict:
        """Return who a user is: counts, what is known, genres, taste over time, latest items."""
        events = person.events
        rows = self.catalogue.rows_of(events[ITEM])
        ratings = events[RATING].to_numpy(np.float64)
        liked = ratings >= LIKE_THRESHOLD
        genres = [self.catalogue.genres[row] if row >= 0 else [] for row in rows]
        latest = [
            {**self.catalogue.of_row(rows[i]), "rating": float(ratings[i])}
            for i in range(len(rows) - 1, max(len(rows) - 1 - recent, -1), -1)
            if rows[i] >= 0
        ]
        return {
            "user_id": person.user,
            "known": person.is_known,
            "about": self._facts(person.code),
            "items": len(events),
            "likes": int(liked.sum()),
            "mean_rating": round(float(ratings.mean()), 2) if len(ratings) else None,
            "new_events": person.version,
            "has_ratings": self.has_ratings,
            "genres": _shares(genres, liked),
            "taste": self._taste(events, genres, liked),
            "latest": latest,
        }

    def segment_of(self, person: Person) -> str | None:
        """Return the group of users that a user belongs to, or None for a stranger.

        Age and gender where they are known, else the genre that is liked most.
        """
        facts = self._facts(person.code)
        if facts.get("age") and facts.get("gender"):
            low = facts["age"] // BAND_YEARS * BAND_YEARS
            return f"{facts['gender']}, {low} to {low + BAND_YEARS - 1}"
        liked = person.events[person.events[RATING] >= LIKE_THRESHOLD]
        rows = self.catalogue.rows_of(liked[ITEM])
        counts = Counter(genre for row in rows if row >= 0 for genre in self.catalogue.genres[row])
        return min(counts, key=lambda g: (-counts[g], g)) if counts else None

    def popular_by_segment(self, k: int) -> dict[str, np.ndarray]:
        """Return for each segment the rows of the items that its users like most, best first.

        A segment of a few users has no list: it would be theirs, which they have had.
        """
        segments: dict[str, Counter] = {}
        sizes: Counter[str] = Counter()
        step = -(-len(self.user_ids) // LARGEST_SAMPLE)
        for code in self.user_ids[::step].tolist():
            person = Person("", code, self._events_of(code), np.empty(0, np.int64), 0)
            segment = self.segment_of(person)
            if segment is not None:
                liked = person.events[person.events[RATING] >= LIKE_THRESHOLD]
                segments.setdefault(segment, Counter()).update(liked[ITEM].tolist())
                sizes[segment] += 1
        return {
            segment: self.catalogue.rows_of([item for item, _ in counts.most_common(k)])
            for segment, counts in segments.items()
            if sizes[segment] >= FEWEST_IN_SEGMENT
        }

    def _events_of(self, code: int) -> pd.DataFrame:
        row = index_of(self.user_ids, [code])[0]
        if row < 0:
            return self._events.iloc[:0]
        return self._events.iloc[self._bounds[row] : self._bounds[row + 1]]

    def _with_journal(
        self, code: int, events: pd.DataFrame, new: list[Event]
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return a user's events with those of the journal, and the items dismissed."""
        rated: dict[int, Event] = {}
        dismissed: dict[int, None] = {}
        for event in new:
            item = self.catalogue.code_of(event.item)
            if item is None:
                continue  # of another edition of the data set
            if event.kind == "rating":
                rated.pop(item, None)  # the latest rating stands last
                rated[item] = event
            else:
                dismissed[item] = None
        if rated:
            fresh = pd.DataFrame(
                {
                    USER: code,
                    ITEM: list(rated),
                    RATING: np.array([each.rating for each in rated.values()], np.float32),
                    TIMESTAMP: [int(each.at) for each in rated.values()],
                }
            )
            kept = events[~events[ITEM].isin(fresh[ITEM])]
            events = pd.concat([kept, fresh], ignore_index=True) if len(kept) else fresh
        return events, np.fromiter(dismissed, np.int64, len(dismissed))

    def _facts(self, code: int) -> dict:
        if self._about is None or code not in self._about.index:
            return {}
        row = self._about.loc[code]
        facts = {name: row[name] for name in ("age", "gender", "occupation")}
        facts = {name: value for name, value in facts.items() if not pd.isna(value)}
        return {n: int(v) if n == "age" else str(v) for n, v in facts.items()}

    def _taste(self, events: pd.DataFrame, genres: list[list[str]], liked: np.ndarray) -> dict:
        """Return the genres' shares in periods of equally many films, the oldest first."""
        periods = min(PERIODS, len(events) // FEWEST_A_PERIOD)
        parts = np.array_split(np.arange(len(events)), periods) if periods > 1 else []
        names = [each["genre"] for each in _shares(genres, liked)][:5]
        moments = events[TIMESTAMP].to_numpy()
        shares = []
        for part in parts:
            counts = Counter(genre for i in part for genre in genres[i])
            total = sum(counts.values())
            shares.append([round(counts[n] / total, 4) if total else 0.0 for n in names])
        return {
            "genres": names,
            "shares": shares,  # by period, then by genre
            "from": [int(moments[part[0]]) for part in parts] if self.has_moments else [],
            "to": [int(moments[part[-1]]) for part in parts] if self.has_moments else [],
        }


def _shares(genres: list[list[str]], liked: np.ndarray) -> list[dict]:
    """Return how many items of each genre there are and are liked, the most liked first."""
    had = Counter(genre for each in genres for genre in each)
    likes = Counter(g for each, like in zip(genres, liked, strict=True) if like for g in each)
    order = sorted(had, key=lambda genre: (-likes[genre], -had[genre], genre))
    return [{"genre": each, "items": had[each], "likes": likes[each]} for each in order]
