"""The cascade (S15): recall some hundred candidates fast, rank them precisely, vary the list."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.rankers import Candidates, Ranker, UnknownUser, UserFeatures, load_ranker
from recsys_lib.recall import Histories, Lists, Recaller
from recsys_lib.recall.vocabulary import Vocabulary
from recsys_lib.schema import ITEM
from recsys_lib.serving.diversity import maximal_marginal_relevance


@dataclass(frozen=True)
class Recommendation:
    """One line of a list.

    Attributes
    ----------
    item_id : int, str or another id
    score : float
        What the list is ordered by, see :func:`blend`.
    like_probability : float or None
        What the ranker says; None where its scores are no probabilities.
    recall_place : int
        From 1; the item's place among the candidates.
    channel : str
        The recall channel that brought it.
    """

    item_id: Any
    score: float
    like_probability: float | None
    recall_place: int
    channel: str


@dataclass(frozen=True)
class Ranked:
    """The candidates of one request, in recall's order, with what the ranker says of them.

    Attributes
    ----------
    candidates : Candidates
    ranker_scores : float array, shape (n,)
    scores : float64 array, shape (n,)
        What the list is ordered by, see :func:`blend`.
    """

    candidates: Candidates
    ranker_scores: np.ndarray
    scores: np.ndarray

    @property
    def item_ids(self) -> np.ndarray:
        """The candidates' items: int64, (n,), whole numbers inside."""
        return self.candidates.item_ids


class Cascade(Recaller):
    """A recaller whose candidates are scored by a ranker, blended, and varied.

    :meth:`fit` fits the recaller; the ranker stays as it is. Because a cascade is a recaller
    itself, it is evaluated, saved and loaded like one. The channel in its answers is the recall
    channel that brought the item. In a batch, a user without candidates or without the features
    that the ranker needs has no items; :meth:`explain` says why.

    Parameters
    ----------
    recaller : Recaller
    ranker : Ranker
    candidates : int
        Items that are recalled and ranked for a request.
    ranking_weight : float
        In [0, 1]: 1 orders by the ranker alone, 0 keeps the order of recall; see :func:`blend`.
    diversity : float
        In [0, 1]: how much a film like those above it is held back, see
        :func:`maximal_marginal_relevance`; 0 leaves the ranked order.
    item_vectors : EmbeddingTable, optional
        What makes items alike; needed where ``diversity`` is not 0. Items without a vector are
        like nothing.
    """

    name = "cascade"

    def __init__(
        self,
        recaller: Recaller,
        ranker: Ranker,
        *,
        candidates: int = 200,
        ranking_weight: float = 1.0,
        diversity: float = 0.0,
        item_vectors: EmbeddingTable | None = None,
    ):
        if diversity and item_vectors is None:
            raise RecsysError(f"diversity {diversity} needs item_vectors.")
        if not 0 <= ranking_weight <= 1:
            raise RecsysError(f"ranking_weight must lie in [0, 1], not {ranking_weight}.")
        self.recaller = recaller
        self.ranker = ranker
        self.candidates = candidates
        self.ranking_weight = ranking_weight
        self.diversity = diversity
        self.item_vectors = item_vectors

    @property
    def matrix_(self) -> InteractionMatrix | None:
        """What the recaller has seen."""
        return self.recaller.matrix_

    @property
    def vocabulary_(self) -> Vocabulary:
        """The person's ids and the whole numbers inside, as the recaller has them."""
        return self.recaller.vocabulary_

    @property
    def scores_histories(self) -> bool:
        """Whether the recaller scores histories."""
        return self.recaller.scores_histories

    @property
    def has_similar_items(self) -> bool:
        """Whether the recaller compares items."""
        return self.recaller.has_similar_items

    def learn(self, seen: Histories, vocabulary: Vocabulary) -> None:
        self.recaller.learn(seen, vocabulary)

    def share(self, matrix: InteractionMatrix) -> None:
        self.recaller.share(matrix)

    def lists(self, users, k=10, histories=None, exclude=None) -> Lists:
        self._check_request(k, histories)
        if histories is not None:
            histories = Histories.of(histories, self.matrix_.item_ids, users=np.asarray(users))
        recalled = self.recaller.lists(users, self.candidates, histories, exclude)
        answer = Lists.empty(recalled.user_ids, k, recalled.channel_names)
        for row in range(len(recalled)):
            try:
                ranked = self._ranked(recalled, row, histories)
            except UnknownUser:
                continue
            best = self._picked(ranked, k)
            answer.item_ids[row, : len(best)] = ranked.item_ids[best]
            answer.scores[row, : len(best)] = ranked.scores[best]
            answer.channel_index[row, : len(best)] = recalled.channel_index[row, best]
        return answer

    def add_items(self, items: pd.DataFrame, features: pd.DataFrame | None = None) -> None:
        """Recommend items that came after :meth:`fit`.

        Parameters
        ----------
        items : DataFrame
            Rows of the item table, in the person's ids, see
            :meth:`recsys_lib.recall.cold_start.WithNewItems.add_items`.
        features : DataFrame, optional
            ``item_id`` and what the ranker reads of an item. By default the year and the first
            genres: nothing else is known before the first rating.

        Raises
        ------
        RecsysError
            The recaller has no places for new items.
        """
        if not hasattr(self.recaller, "add_items"):
            raise RecsysError(
                f"{type(self.recaller).__name__} cannot recommend items without interactions: "
                "put it into WithNewItems(recaller, items)."
            )
        self.recaller.add_items(items)
        features = features_at_birth(items) if features is None else features
        codes = self.vocabulary_.item_codes(features[ITEM])
        self.ranker.add_items(features.assign(**{ITEM: codes}))

    def similar_lists(self, items, k=10) -> Lists:
        return self.recaller.similar_lists(items, k)

    def explain(self, user, k: int = 10, histories=None, exclude=None) -> list[Recommendation]:
        """Return the items of one user as :meth:`recommend` does, with what each is owed to.

        Raises
        ------
        UnknownUser
            There are no features of the user, or no candidates.
        StoreUnavailable
            The feature store does not answer.
        """
        self._check_request(k, histories)
        ranked = self.ranked(user, histories, exclude)
        best = self._picked(ranked, k)
        shown = self.vocabulary_.raw_items(ranked.item_ids[best]).tolist()
        return [
            Recommendation(
                item_id,
                float(ranked.scores[i]),
                float(ranked.ranker_scores[i]) if self.ranker.gives_probabilities else None,
                int(i) + 1,
                ranked.candidates.channels[i],
            )
            for item_id, i in zip(shown, best, strict=True)
        ]

    def ranked(self, user, histories=None, exclude=None) -> Ranked:
        """Return all candidates of one user with their scores; errors as for :meth:`explain`."""
        self._check_request(histories=histories)
        words = self.vocabulary_
        code = words.user_codes([user])
        if histories is not None:
            histories = Histories.of(histories, self.matrix_.item_ids, words, code)
        exclude = None if exclude is None else words.encode(exclude)
        recalled = self.recaller.lists(code, self.candidates, histories, exclude)
        try:
            return self._ranked(recalled, 0, histories)
        except UnknownUser as error:
            raise UnknownUser(error.what, user) from None  # in the person's own id

    def _ranked(self, recalled: Lists, row: int, histories: Histories | None) -> Ranked:
        user, listed = int(recalled.user_ids[row]), recalled.listed[row]
        if not listed.any():
            raise UnknownUser("Nothing is recalled for", user)
        channels = [recalled.channel_names[c] for c in recalled.channel_index[row, listed]]
        candidates = Candidates(
            user,
            recalled.item_ids[row, listed],
            recalled.scores[row, listed],
            channels,
            None if histories is None else histories.of_user(user),
        )
        scores = self.ranker.score(candidates)
        blended = blend(scores, self.ranking_weight, self.ranker.gives_probabilities)
        return Ranked(candidates, scores, blended)

    def _picked(self, ranked: Ranked, k: int) -> np.ndarray:
        """Return the places of the items of the final list among the candidates."""
        if not self.diversity:
            return np.argsort(-ranked.scores, kind="stable")[:k]
        vectors = vectors_or_zeros(self.item_vectors, ranked.item_ids)
        return maximal_marginal_relevance(ranked.scores, vectors, k, self.diversity)

    @property
    def parameters(self) -> dict[str, Any]:
        return {n: v for n, v in super().parameters.items() if n != "ranker"}

    def _save_parts(self, folder: Path) -> None:
        self.ranker.save(folder / "ranker")

    @classmethod
    def _restore(cls, folder: Path, parameters: dict[str, Any], users: UserFeatures | None) -> Self:
        return cls(ranker=load_ranker(folder / "ranker", users), **parameters)


def vectors_or_zeros(table: EmbeddingTable, item_ids: np.ndarray) -> np.ndarray:
    """Return the items' vectors, zeros where there is none: float32, (n, embedding_dim)."""
    row = table.index_of(item_ids)
    vectors = np.zeros((len(row), table.embedding_dim), np.float32)
    vectors[row >= 0] = table.vectors[row[row >= 0]]
    return vectors


def features_at_birth(items: pd.DataFrame) -> pd.DataFrame:
    """Return the features of items that nobody has rated yet: year, genres, a count of 0.

    Parameters
    ----------
    items : DataFrame
        ``item_id`` and, where they are known, ``release_year`` and ``genres``.
    """
    features = items[[ITEM]].reset_index(drop=True).assign(item_rating_count=0)
    if "release_year" in items:
        features["release_year"] = items["release_year"].to_numpy()
    for k in range(1, 4) if "genres" in items else ():
        of_place = [genres[k - 1] if len(genres) >= k else None for genres in items["genres"]]
        features[f"item_genre_{k}"] = pd.Series(of_place, dtype=object)
    return features


def blend(scores: np.ndarray, ranking_weight: float, probabilities: bool = True) -> np.ndarray:
    """Return scores that mix the order of recall with the ranker's: float64, (n,).

    The two speak of different things: recall of what a user will come to watch, a ranker trained
    on ratings of whether a watched film is liked. As log-odds they add, weighted; that an item's
    chance falls as 1 / place stands in for the probability that recall does not give.

    Parameters
    ----------
    scores : float array, shape (n,)
        The ranker's, for the candidates in the order of recall.
    ranking_weight : float
        In [0, 1]: ``ranking_weight * logit(p) - (1 - ranking_weight) * log(place)``.
    probabilities : bool
        Whether the scores are probabilities; others take the place of their log-odds.
    """
    odds = scores.astype(np.float64)
    if probabilities:
        p = np.clip(odds, 1e-7, 1 - 1e-7)
        odds = np.log(p / (1 - p))
    place = np.arange(1, len(odds) + 1)
    return ranking_weight * odds - (1 - ranking_weight) * np.log(place)
