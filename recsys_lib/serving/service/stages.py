"""Recall and ranking of one request, each with a time budget, and what every item owes its score.

A stage runs on a thread of its own pool, so that a request can go on without it when its budget is
spent: a model that hangs costs its level, not the answer.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recsys_lib.errors import RecsysError
from recsys_lib.rankers import Candidates, RecallOrder, UnknownUser
from recsys_lib.recall import Histories, Lists, fuse
from recsys_lib.recall.merge import points_of
from recsys_lib.schema import ITEM, USER
from recsys_lib.serving.cascade import blend, vectors_or_zeros
from recsys_lib.serving.diversity import maximal_marginal_relevance
from recsys_lib.serving.service.parts import Parts, Ranking
from recsys_lib.serving.service.people import Person
from recsys_lib.serving.service.reasons import histories_of

# Multiples of it up to 256 are added without rounding: a page that adds them up finds the score.
FINEST = 2.0**-44


class TooSlow(RecsysError):
    """A stage has spent its budget."""


@dataclass(frozen=True)
class Recalled:
    """The candidates of one request.

    Attributes
    ----------
    candidates : Candidates
        In the order of recall.
    places : dict of str to (int64 array, float64 array)
        Of each channel, its items, best first, and the points that it gives them.
    channel_ms : dict of str to float
    lost : dict of str to str
        Channels that failed, and why.
    """

    candidates: Candidates
    places: dict[str, tuple[np.ndarray, np.ndarray]]
    channel_ms: dict[str, float]
    lost: dict[str, str]

    def points(self, item: int, fusion: str) -> list[dict]:
        """Return what each channel gives to an item; the points add up to recall's score."""
        found = []
        for name, (items, points) in self.places.items():
            place = np.flatnonzero(items == item)
            if len(place):
                one = {"channel": name, "place": int(place[0]) + 1, "points": points[place[0]]}
                found.append({**one, "points": float(one["points"])})
        if fusion == "quota" and found:  # the best one counts
            found = [max(found, key=lambda each: each["points"])]
        return found


@dataclass(frozen=True)
class Scored:
    """What a ranker says of the candidates of one request: see :meth:`Ranker.explain`."""

    scores: np.ndarray
    terms: dict[str, np.ndarray]

    def terms_of(self, place: int, weight: float, total: float) -> list[tuple[str, float]]:
        """Return the terms of one candidate, which add up to ``total``, its share in the order."""
        terms = [(name, weight * float(values[place])) for name, values in self.terms.items()]
        if not terms:
            return [("ranking", total)]
        # The last one takes what single precision has lost on the way.
        rest = total - sum(value for _, value in terms[:-1])
        return [*terms[:-1], (terms[-1][0], rest)]


@dataclass(frozen=True)
class Line:
    """One place of a list, in whole numbers inside.

    Attributes
    ----------
    item : int
    score : float
        The sum of ``terms``.
    terms : list of (str, float)
    channel : str
        What brought the item.
    points : list of dict
        See :meth:`Recalled.points`; empty where nothing was recalled.
    recall_place, ranked_place : int or None
        From 1, before ranking and before the step that varies the list.
    probability : float or None
        The ranker's, where its scores are probabilities.
    """

    item: int
    score: float
    terms: list[tuple[str, float]]
    channel: str
    points: list[dict]
    recall_place: int | None = None
    ranked_place: int | None = None
    probability: float | None = None


class Stages:
    """The stages, with their pools of threads.

    Parameters
    ----------
    parts : Parts
    recall_budget_s, ranking_budget_s : float
        Seconds a request waits for a stage.
    threads : int
        Requests in a stage at a time.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        recall_budget_s: float = 0.3,
        ranking_budget_s: float = 0.3,
        threads: int = 2,
    ):
        self.parts = parts
        self.budgets = {"recall": recall_budget_s, "ranking": ranking_budget_s}
        self._pools = {name: ThreadPoolExecutor(threads, name) for name in self.budgets}
        matrix = parts.matrix
        self._n_seen = dict(
            zip(matrix.user_ids.tolist(), np.diff(matrix.ratings.indptr).tolist(), strict=True)
        )

    def close(self) -> None:
        """End the threads; one that hangs is left to the end of the process."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def run(self, stage: str, work: Callable[[], Any], timings: dict[str, float]) -> Any:
        """Return what a stage makes, or raise :class:`TooSlow` when its budget is spent."""
        budget_s = self.budgets[stage]
        started = time.perf_counter()
        future: Future = self._pools[stage].submit(work)
        try:
            return future.result(budget_s)
        except TimeoutError:
            future.cancel()
            raise TooSlow(f"{stage} took more than its {1e3 * budget_s:g} ms.") from None
        finally:
            timings[stage] = 1e3 * (time.perf_counter() - started)

    def recall(self, person: Person, channels: Iterable[str]) -> Recalled:
        """Recall with some channels and merge; a channel that fails is left out."""
        parts, users = self.parts, np.array([person.code])
        histories = self._histories(person)
        exclude = pd.DataFrame({USER: person.code, ITEM: person.had})
        found, channel_ms, lost = {}, {}, {}
        for name in channels:
            channel, started = parts.channels[name], time.perf_counter()
            given = histories if channel.scores_histories else None
            try:
                found[name] = channel.lists(users, parts.depth, given, exclude)
            except Exception as error:  # whatever it is, the others go on
                lost[name] = f"{type(error).__name__}: {error}"
            channel_ms[name] = 1e3 * (time.perf_counter() - started)
        if not found:
            raise RecsysError(f"No channel recalls anything: {lost}.")
        weights = {name: parts.weights[name] for name in found}
        merge = found, weights, parts.fusion, parts.item_ids, parts.depth, parts.calibrations
        merged = fuse(*merge)
        places = self._places(found, weights)
        return Recalled(_candidates(person, merged, histories), places, channel_ms, lost)

    def rank(self, recalled: Recalled, ranking: Ranking) -> Scored:
        """Return what the ranker says of the candidates."""
        return Scored(*ranking.ranker.explain(recalled.candidates))

    def ranked_lines(
        self, recalled: Recalled, scored: Scored, ranking: Ranking, diversity: float, k: int
    ) -> list[Line]:
        """Return the first ``k`` places after ranking and varying."""
        scores = np.asarray(scored.scores)
        if isinstance(ranking.ranker, RecallOrder):
            return self.recalled_lines(recalled, k, diversity, ranking.item_vectors)
        weight, probabilities = ranking.weight, ranking.ranker.gives_probabilities
        blended = blend(scores, weight, probabilities)
        of_place = blend(np.full(len(scores), 0.5), weight)  # log-odds of 0: the place's share
        ranks = np.empty(len(scores), int)
        ranks[np.argsort(-blended, kind="stable")] = np.arange(1, len(scores) + 1)
        lines = []
        for i in self._picked(recalled, blended, diversity, ranking.item_vectors, k):
            item = int(recalled.candidates.item_ids[i])
            place, total = float(of_place[i]), float(blended[i])
            # Where ranking decides alone, it has been told of recall's order as of anything else.
            terms = [("recall", place)] if weight < 1 else []
            terms += scored.terms_of(i, weight, total - place)
            terms = _exact(terms)
            lines.append(
                Line(
                    item,
                    sum(value for _, value in terms),
                    terms,
                    recalled.candidates.channels[i],
                    recalled.points(item, self.parts.fusion),
                    int(i) + 1,
                    int(ranks[i]),
                    float(scores[i]) if probabilities else None,
                )
            )
        return lines

    def recalled_lines(
        self, recalled: Recalled, k: int, diversity: float = 0.0, item_vectors=None
    ) -> list[Line]:
        """Return the first ``k`` places in the order of recall."""
        lines, of_recall = [], recalled.candidates
        for i in self._picked(recalled, of_recall.scores, diversity, item_vectors, k):
            item = int(of_recall.item_ids[i])
            points = recalled.points(item, self.parts.fusion)
            terms = _exact([(each["channel"], each["points"]) for each in points])
            score = sum(value for _, value in terms)
            place = int(i) + 1
            lines.append(Line(item, score, terms, of_recall.channels[i], points, place, place))
        return lines

    def channel_lists(self, person: Person, k: int) -> dict[str, Lists]:
        """Return each channel's own list of a user; a channel that fails has none."""
        histories = self._histories(person)
        exclude = pd.DataFrame({USER: person.code, ITEM: person.had})
        found = {}
        for name, channel in self.parts.channels.items():
            given = histories if channel.scores_histories else None
            try:
                found[name] = channel.lists(np.array([person.code]), k, given, exclude)
            except RecsysError:
                continue
        return found

    def stored_lists(self, users: np.ndarray, k: int) -> Lists:
        """Return the merged lists of many users as the channels were fitted: made in advance."""
        parts = self.parts
        found = {n: c.lists(users, parts.depth) for n, c in parts.channels.items()}
        return fuse(found, parts.weights, parts.fusion, parts.item_ids, k, parts.calibrations)

    def _histories(self, person: Person) -> Histories | None:
        """Return a history where the channels have seen less of the user than there is."""
        known = self._n_seen.get(person.code, 0)
        if person.version == 0 and known == len(person.events):
            return None
        return histories_of(person, self.parts.item_ids)

    def _places(self, found: Mapping[str, Lists], weights: Mapping[str, float]) -> dict:
        points = points_of(found, weights, self.parts.fusion, self.parts.calibrations)
        return {
            name: (lists.item_ids[0, lists.listed[0]], points[name][0, lists.listed[0]])
            for name, lists in found.items()
        }

    def _picked(self, recalled: Recalled, scores, diversity: float, item_vectors, k: int):
        if not diversity or item_vectors is None:
            return np.argsort(-scores, kind="stable")[:k]
        vectors = vectors_or_zeros(item_vectors, recalled.candidates.item_ids)
        return maximal_marginal_relevance(scores, vectors, k, diversity)


def _exact(terms: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return terms whose sum is the same to the last bit, in whatever order it is formed."""
    return [(name, round(value / FINEST) * FINEST) for name, value in terms]


def _candidates(person: Person, merged: Lists, histories: Histories | None) -> Candidates:
    listed = merged.listed[0]
    if not listed.any():
        raise UnknownUser("Nothing is recalled for", person.user)
    channels = [merged.channel_names[c] for c in merged.channel_index[0, listed]]
    items, scores = merged.item_ids[0, listed], merged.scores[0, listed]
    # As a cascade does it: without a history, what was learned of the user counts.
    return Candidates(person.code, items, scores, channels, histories)
