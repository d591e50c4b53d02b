"""The service as one object, without the web: it answers, takes events, and says how it is."""

import logging
import threading
import time
import uuid
from collections import Counter, deque

import numpy as np

from recsys_lib.data import Dataset
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.rankers import UnknownUser
from recsys_lib.serving.caching import TwoLevelCache
from recsys_lib.serving.degradation import CircuitBreaker, Ladder, Overloaded, Rung
from recsys_lib.serving.service.asked import (
    LEVEL_HELP,
    LEVELS,
    SWITCHES,
    Asked,
    NoSuch,
    Settings,
)
from recsys_lib.serving.service.attempt import Attempt
from recsys_lib.serving.service.catalogue import Catalogue
from recsys_lib.serving.service.features import TimedFeatures
from recsys_lib.serving.service.impressions import ImpressionLog, impression
from recsys_lib.serving.service.journal import Event, Journal
from recsys_lib.serving.service.parts import Parts
from recsys_lib.serving.service.people import People, Person
from recsys_lib.serving.service.reasons import Reasons
from recsys_lib.serving.service.stages import Line, Stages

STORED_USERS = 20_000  # whose lists are made in advance
STORED_ITEMS = 200

logger = logging.getLogger(__name__)


class _NotKept(Exception):
    """Carries an answer that is worse than it should be past the cache."""

    def __init__(self, answer: dict):
        super().__init__()
        self.answer = answer


class Service:
    """Answers every request, at the best level that is possible.

    Parameters
    ----------
    data : Dataset
    parts : Parts
    journal : Journal
    impressions : ImpressionLog, optional
    cache : TwoLevelCache, optional
    features : TimedFeatures, optional
        What the rankers of ``parts`` read users from, for the time that takes.
    settings : Settings
    """

    def __init__(
        self,
        data: Dataset,
        parts: Parts,
        journal: Journal,
        *,
        impressions: ImpressionLog | None = None,
        cache: TwoLevelCache | None = None,
        features: TimedFeatures | None = None,
        settings: Settings | None = None,
    ):
        self.name = data.name
        self._version = f"{parts.version}.{parts.feature_version}"
        self.parts = parts
        self.settings = settings = settings or Settings()
        self.journal = journal
        self.impressions = impressions
        self.features = features
        self.cache = cache or TwoLevelCache(ttl_s=settings.ttl_s)
        matrix = InteractionMatrix.from_frame(data.interactions)
        self.catalogue = Catalogue(data, matrix)
        self.people = People(data, self.catalogue, journal)
        self.reasons = Reasons(self.catalogue)
        self.stages = Stages(
            parts,
            recall_budget_s=settings.recall_budget_s,
            ranking_budget_s=settings.ranking_budget_s,
            threads=settings.stage_threads,
        )
        self.genre_vectors = self.catalogue.genre_vectors()
        self.popular = self.catalogue.popular(STORED_ITEMS)
        self.segments: dict[str, np.ndarray] = {}
        self.stored: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._ladders: dict[frozenset, Ladder] = {}
        self.breakers: dict[str, CircuitBreaker] = {}
        self.active = 0
        self._lock = threading.Lock()
        self.levels: Counter[str] = Counter()
        self.shed = 0
        self.recent_ms: deque[tuple[str, float]] = deque(maxlen=1_000)
        self._since = time.time()
        self.is_ready = threading.Event()
        self.redis_is_up = lambda: False  # whoever links the service with Redis knows

    def prepare(self) -> None:
        """Make the lists that wait for bad times, and warm the models up."""
        self.segments = self.people.popular_by_segment(STORED_ITEMS)
        users = self.parts.matrix.user_ids[:STORED_USERS]
        lists = self.stages.stored_lists(users, STORED_ITEMS)
        self.stored = {
            int(user): (lists.item_ids[row, lists.listed[row]], lists.scores[row])
            for row, user in enumerate(lists.user_ids)
        }
        person = self.people.get(self.people.find("", 1)[0]["user_id"])
        for name, ranking in self.parts.rankings.items():
            try:
                recalled = self.stages.recall(person, self.parts.channels)
                self.stages.rank(recalled, ranking)
            except Exception as error:  # the ladder will meet it again
                logger.warning("%s cannot be warmed up: %r", name, error)
        self.is_ready.set()

    def close(self) -> None:
        """Write what waits and end the threads."""
        self.stages.close()
        if self.impressions is not None:
            self.impressions.close()
        self.journal.close()

    def recommend(self, asked: Asked) -> dict:
        """Return an answer; see the OpenAPI page for its fields.

        Raises
        ------
        NoSuch
            The request names a ranker or a part that is not there.
        Overloaded
            No level takes the request.
        """
        started = time.perf_counter()
        self._check(asked)
        with self._lock:
            self.active += 1
        try:
            made, source = self._through_cache(asked)
        finally:
            with self._lock:
                self.active -= 1
        latency_ms = 1e3 * (time.perf_counter() - started)
        answer = {**made, "items": made["items"][: asked.k], "source": source}
        answer["request_id"] = uuid.uuid4().hex
        if source != "computed":
            answer["stages"] = {"cache": latency_ms}
        answer["latency_ms"] = latency_ms
        self.keep(answer)
        return answer

    def channel_rows(self, user: str, k: int = 12) -> list[dict]:
        """Return each channel's own list of a user, with the reason for each item."""
        person = self.people.get(user)
        rows = []
        for name, lists in self.stages.channel_lists(person, k).items():
            items = lists.item_ids[0, lists.listed[0]]
            reasons = self.reasons.of(self.parts.channels[name], person, items)
            shown = [
                {**item, "score": float(score), "reason": reason}
                for item, score, reason in zip(
                    self.catalogue.of_codes(items), lists.scores[0], reasons, strict=False
                )
            ]
            rows.append({"channel": name, "weight": self.parts.weights[name], "items": shown})
        return rows

    def profile(self, user: str) -> dict:
        """Return who a user is."""
        person = self.people.get(user)
        return {**self.people.profile(person), "segment": self.people.segment_of(person)}

    def item(self, shown: str) -> dict:
        """Return what is known of an item; :class:`NoSuch` for an unknown one."""
        return self.catalogue.of_codes([self._item_code(shown)])[0]

    def similar(self, shown: str, k: int = 10) -> list[dict]:
        """Return items like an item, by each channel and embedding that compares items."""
        code, rows = self._item_code(shown), []
        for name, channel in self.parts.channels.items():
            if channel.has_similar_items:
                found = channel.similar_lists([code], k)
                listed = found.listed[0]
                rows.append((name, found.item_ids[0, listed], found.scores[0, listed]))
        for name, table in self.parts.vectors.items():
            if name not in self.parts.channels and table.contains([code])[0]:
                rows.append((name, *table.nearest(code, k)))
        return [
            {
                "by": name,
                "items": [
                    {**item, "score": float(score)}
                    for item, score in zip(self.catalogue.of_codes(ids), scores, strict=False)
                ],
            }
            for name, ids, scores in rows
        ]

    def take(self, event: Event) -> Event:
        """Keep an event; the next answer, whatever cache or process gives it, knows of it.

        Raises
        ------
        NoSuch
            The item is not known.
        """
        if event.kind != "reset":
            self._item_code(event.item)
        kept = self.journal.append(event)
        # Answers of before are void already: their version has one event less. This frees them.
        self.cache.forget(self._key(Asked(user=event.user)))
        return kept

    def status(self) -> dict:
        """Return how the service is: what the live panel of the page shows."""
        recent = list(self.recent_ms)
        return {
            "dataset": self.name,
            "origin": self.parts.origin,
            "ready": self.is_ready.is_set(),
            "uptime_s": round(time.time() - self._since, 1),
            "users": len(self.people),
            "items": len(self.catalogue),
            "channels": dict(self.parts.weights),
            "rankers": list(self.parts.rankings),
            "default_ranker": self.parts.default,
            "switches": list(SWITCHES),
            "levels": [
                {"name": each, "what": LEVEL_HELP[each], "answers": self.levels[each]}
                for each in LEVELS
            ],
            "breakers": {name: each.state for name, each in self.breakers.items()},
            "redis": self.redis_is_up(),
            "active": self.active,
            "shed": self.shed,
            "hit_rate": self.cache.hit_rate,
            "answers_by_source": dict(self.cache.counts),
            "latency_ms": {
                kind: _percentiles([ms for source, ms in recent if (source == "computed") == made])
                for kind, made in (("computed", True), ("cached", False))
            },
            "versions": self.versions,
        }

    @property
    def versions(self) -> dict[str, str]:
        """The versions of models and features, as each answer names them."""
        return {"model": self.parts.version, "features": self.parts.feature_version}

    def version_of(self, user: str) -> str:
        """Return the version of a user's answers: of the models, and with each event another."""
        return f"{self._version}.{self.journal.count(user)}"

    def keep(self, answer: dict) -> None:
        """Count an answer, and put what it showed into the log of impressions."""
        self.levels[answer["level"]] += 1
        self.recent_ms.append((answer["source"], answer["latency_ms"]))
        if self.impressions is not None:
            self.impressions.add(impression(answer))

    def _through_cache(self, asked: Asked) -> tuple[dict, str]:
        # Before the events themselves are read: what is kept may know more than its version
        # says, never less.
        version = self.version_of(asked.user)

        def compute() -> dict:
            answer, best = self._make(self.people.get(asked.user), asked)
            if answer["level"] != best or answer["lost"]:
                raise _NotKept(answer)
            return answer

        try:
            if "cache" in asked.off:
                return compute(), "computed"
            found = self.cache.get(self._key(asked), version, compute)
            return found.value, found.source
        except _NotKept as worse:
            return worse.answer, "computed"

    def _make(self, person: Person, asked: Asked) -> tuple[dict, str]:
        """Return an answer, and the level that it should have been made at."""
        attempt = Attempt(self, person, asked)
        ladder = self._ladder(attempt.impossible())
        levels = [rung.name for rung in ladder.rungs]
        deadline = time.perf_counter() + self.settings.deadline_s
        lines, rung = None, None
        while lines is None:
            left = deadline - time.perf_counter()
            rung = ladder.choose(left, self.active, below=rung and rung.name)
            if rung is None:
                raise Overloaded("No level takes the request. Try again later.")
            began = time.perf_counter()
            try:
                lines = getattr(attempt, rung.name)()
            except UnknownUser as error:  # nothing is broken: the level does not suit this user
                ladder.record(rung, time.perf_counter() - began)
                levels.remove(rung.name)
                attempt.unsuited[rung.name] = str(error)
            except Exception as error:  # whatever it is, a level below answers
                ladder.record(rung, time.perf_counter() - began, ok=False)
                logger.warning("%s fails: %s: %s", rung.name, type(error).__name__, error)
                attempt.lost[rung.name] = f"{type(error).__name__}: {error}"
            else:
                ladder.record(rung, time.perf_counter() - began)
        began = time.perf_counter()
        items = self._shown(person, lines)
        attempt.timings["explain"] = 1e3 * (time.perf_counter() - began)
        answer = {
            "user_id": person.user,
            "level": rung.name,
            "best_level": levels[0],
            "ranker": attempt.ranker if rung.name == "full" else None,
            "items": items,
            "versions": self.versions,
            "stages": attempt.timings,
            "lost": attempt.lost,
            "unsuited": attempt.unsuited,
            "events_known": person.version,
        }
        return answer, levels[0]

    def _shown(self, person: Person, lines: list[Line]) -> list[dict]:
        by_channel: dict[str, list[int]] = {}
        for line in lines:
            by_channel.setdefault(line.channel, []).append(line.item)
        reasons: dict[int, dict] = {}
        for name, items in by_channel.items():
            channel = self.parts.channels.get(name)
            if channel is not None:
                found = self.reasons.of(channel, person, items)
                reasons.update(zip(items, found, strict=True))
        return [
            {
                **self.catalogue.of_row(self.catalogue.row_of(line.item)),
                "score": line.score,
                "terms": [{"name": name, "value": value} for name, value in line.terms],
                "points": line.points,
                "channel": line.channel,
                "recall_place": line.recall_place,
                "ranked_place": line.ranked_place,
                "probability": line.probability,
                "reason": reasons.get(line.item) or self._plain_reason(line),
                "propensity": 1.0,  # the list is the same whenever it is made: nothing is drawn
            }
            for line in lines
        ]

    def _plain_reason(self, line: Line) -> dict:
        likes = int(self.catalogue.likes[self.catalogue.row_of(line.item)])
        return {"text": f"{likes:,} people like it", "because": None}

    def _check(self, asked: Asked) -> None:
        if asked.ranker is not None and asked.ranker not in self.parts.rankings:
            known = ", ".join(self.parts.rankings)
            raise NoSuch(f"There is no ranker {asked.ranker!r}; here are {known}.")
        for part in asked.off:
            if part not in SWITCHES and part not in self.parts.channels:
                known = ", ".join([*SWITCHES, *self.parts.channels])
                raise NoSuch(f"There is no part {part!r} to go without; here are {known}.")

    def _item_code(self, shown: str) -> int:
        code = self.catalogue.code_of(shown)
        if code is None:
            raise NoSuch(f"There is no item {shown!r}.")
        return code

    @staticmethod
    def _key(asked: Asked) -> str:
        off = ",".join(sorted(asked.off))
        return f"{asked.user}|{asked.ranker}|{asked.diversity}|{off}|{asked.made}"

    def _ladder(self, impossible: frozenset[str]) -> Ladder:
        """Return the ladder without some levels; all ladders share the breakers."""
        if impossible not in self._ladders:
            s = self.settings
            rungs = (
                Rung(name="full", budget_s=s.recall_budget_s + s.ranking_budget_s,
                     max_queue=s.full_queue),
                Rung(name="light", budget_s=s.recall_budget_s, max_queue=s.light_queue),
                Rung(name="stored", budget_s=0.02),
                Rung(name="segment", budget_s=0.02),
                Rung(name="popular", budget_s=0.02),
            )  # fmt: skip
            ladder = Ladder(
                [rung for rung in rungs if rung.name not in impossible],
                breaker=lambda: CircuitBreaker(
                    window=20, min_calls=5, open_s=s.breaker_open_s, trials=3
                ),
            )
            with self._lock:
                for name, breaker in ladder.breakers.items():
                    ladder.breakers[name] = self.breakers.setdefault(name, breaker)
                self._ladders[impossible] = ladder
        return self._ladders[impossible]


def _percentiles(ms: list[float]) -> dict[str, float] | None:
    """Return the median and the 95th and 99th percentile in ms, or None without a request."""
    if not ms:
        return None
    found = np.quantile(ms, [0.5, 0.95, 0.99])
    names = ("p50", "p95", "p99")
    return {"n": len(ms), **{n: round(float(v), 3) for n, v in zip(names, found, strict=True)}}
