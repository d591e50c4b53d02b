"""One request on its way down the ladder: each level as a method."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from recsys_lib.rankers import UnknownUser
from recsys_lib.serving.service.asked import Asked
from recsys_lib.serving.service.people import Person
from recsys_lib.serving.service.stages import Line, Recalled

if TYPE_CHECKING:
    from recsys_lib.serving.service.service import Service


class Attempt:
    """Makes the list of one request, at the level it is asked for.

    What recall brought, or how it failed, is remembered: the level below does not try again.

    Attributes
    ----------
    timings : dict of str to float
        Milliseconds by stage.
    lost : dict of str to str
        Parts and levels that failed, and why.
    unsuited : dict of str to str
        Levels that can do nothing for this user, and why.
    """

    def __init__(self, service: "Service", person: Person, asked: Asked):
        self.service = service
        self.person = person
        self.asked = asked
        self.ranker = asked.ranker or service.parts.default
        self.ranking = service.parts.rankings[self.ranker]
        self.timings: dict[str, float] = {}
        self.lost: dict[str, str] = {}
        self.unsuited: dict[str, str] = {}
        self._recalled: Recalled | Exception | None = None

    def impossible(self) -> frozenset[str]:
        """Return the levels that this request goes without."""
        off, levels = self.asked.off, set()
        needs_features = hasattr(self.ranking.ranker, "users")
        if "ranking" in off or ("features" in off and needs_features):
            levels.add("full")
        if "recall" in off or not self._channels():
            levels |= {"full", "light"}
        levels |= off & {"stored", "segment"}
        return frozenset(levels)

    def full(self) -> list[Line]:
        """Recall, ranking, variety."""
        service, recalled = self.service, self._recall()

        def work():
            scored = service.stages.rank(recalled, self.ranking)
            return scored, service.features and service.features.last_ms()

        scored, features_ms = service.stages.run("ranking", work, self.timings)
        if features_ms is not None:
            self.timings["features"] = features_ms
            self.timings["ranking"] = max(self.timings["ranking"] - features_ms, 0.0)
        return service.stages.ranked_lines(
            recalled, scored, self._varied(), self._diversity(), self.asked.made
        )

    def light(self) -> list[Line]:
        """Recall's order."""
        recalled = self._recall()
        return self.service.stages.recalled_lines(recalled, self.asked.made)

    def stored(self) -> list[Line]:
        """The list that was made in advance."""
        found = self.service.stored.get(self.person.code)
        if found is None:
            raise UnknownUser("There is no stored list of", self.person.user)
        return self._first(zip(*found, strict=False), "stored")

    def segment(self) -> list[Line]:
        """What the users of the segment like most."""
        segment = self.service.people.segment_of(self.person)
        rows = self.service.segments.get(segment)
        if rows is None:
            raise UnknownUser("There is no segment of", self.person.user)
        return self._liked(rows, "segment")

    def popular(self) -> list[Line]:
        """What most users like."""
        return self._liked(self.service.popular, "popular")

    def _recall(self) -> Recalled:
        if self._recalled is None:
            stages = self.service.stages
            try:
                if self.person.events.empty:
                    raise UnknownUser("Nothing is known yet of", self.person.user)
                channels = self._channels()
                self._recalled = stages.run(
                    "recall", lambda: stages.recall(self.person, channels), self.timings
                )
                self.timings |= self._recalled.channel_ms
                self.lost |= self._recalled.lost
            except Exception as error:
                self._recalled = error
        if isinstance(self._recalled, Exception):
            raise self._recalled
        return self._recalled

    def _channels(self) -> list[str]:
        return [name for name in self.service.parts.channels if name not in self.asked.off]

    def _diversity(self) -> float:
        if "variety" in self.asked.off:
            return 0.0
        given = self.asked.diversity
        return self.ranking.diversity if given is None else given

    def _varied(self):
        """Return the ranking; items are alike by their genres where it does not say by what."""
        if self.ranking.item_vectors is not None:
            return self.ranking

        return replace(self.ranking, item_vectors=self.service.genre_vectors)

    def _liked(self, rows: np.ndarray, name: str) -> list[Line]:
        catalogue = self.service.catalogue
        rows = rows[rows >= 0]
        pairs = zip(catalogue.item_ids[rows], catalogue.likes[rows], strict=True)
        return self._first(pairs, name)

    def _first(self, scored: Iterable, name: str) -> list[Line]:
        """Return the first items that the user has not had, as lines that one thing explains."""
        had, lines = set(self.person.had.tolist()), []
        for item, score in scored:
            if int(item) not in had:
                lines.append(Line(int(item), float(score), [(name, float(score))], name, []))
            if len(lines) == self.asked.made:
                break
        if not lines and name != "popular":
            raise UnknownUser("Nothing is left to show to", self.person.user)
        return lines
