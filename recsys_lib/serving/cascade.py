"""The cascade (S15): recall some hundred candidates fast, rank them precisely, vary the list."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.rankers.network import Scorer
from recsys_lib.recall import Recaller
from recsys_lib.serving.diversity import maximal_marginal_relevance
from recsys_lib.stores import FeatureStore


@dataclass(frozen=True)
class Recommendation:
    """One line of a list.

    Attributes
    ----------
    item_id : int
    score : float
        What the list is ordered by, see :func:`blend`.
    like_probability : float
        What the ranking model says.
    recall_place : int
        From 1; the item's place among the candidates.
    channel : str
        The recall channel that brought it; empty if the recaller does not tell.
    """

    item_id: int
    score: float
    like_probability: float
    recall_place: int
    channel: str


@dataclass(frozen=True)
class Candidates:
    """What recall found for a user and what the ranking model says of it, in recall's order.

    Attributes
    ----------
    item_ids : int64 array, shape (n,)
    channels : list of str
    like_probability : float32 array, shape (n,)
    """

    item_ids: np.ndarray
    channels: list[str]
    like_probability: np.ndarray


class UnknownUser(RecsysError):
    """The store or the recall layer knows nothing of a user."""


class Cascade:
    """Recall, features, ranking, diversity.

    Parameters
    ----------
    recaller : Recaller
        Fitted.
    users : FeatureStore
    scorer : Scorer
    candidates : int
        Items that are recalled and ranked for a request.
    ranking_weight : float
        In [0, 1]: 1 orders by the ranking model alone, 0 keeps the order of recall.
    diversity : float
        In [0, 1]: how much a film like those above it is held back, see
        :func:`maximal_marginal_relevance`; 0 leaves the ranked order.
    item_vectors : EmbeddingTable, optional
        What makes items alike; needed where ``diversity`` is not 0. Items without a vector are
        like nothing.
    """

    def __init__(
        self,
        recaller: Recaller,
        users: FeatureStore,
        scorer: Scorer,
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
        self.users = users
        self.scorer = scorer
        self.candidates = candidates
        self.ranking_weight = ranking_weight
        self.diversity = diversity
        self.item_vectors = item_vectors

    def recommend(
        self, user_id: int, k: int = 10, exclude: pd.DataFrame | None = None
    ) -> list[Recommendation]:
        """Return ``k`` items for a user in the order shown; fewer if recall finds fewer.

        Parameters
        ----------
        user_id : int
        k : int
        exclude : DataFrame, optional
            Pairs (``user_id``, ``item_id``) not to recommend, besides what recall has seen.

        Raises
        ------
        UnknownUser
            There are no features of the user, or no candidates.
        StoreUnavailable
            Redis does not answer.
        """
        found = self.scored_candidates(user_id, exclude)
        score = blend(found.like_probability, self.ranking_weight)
        best = self._picked(found.item_ids, score, k)
        return [
            Recommendation(
                int(found.item_ids[i]),
                float(score[i]),
                float(found.like_probability[i]),
                int(i) + 1,
                found.channels[i],
            )
            for i in best
        ]

    def scored_candidates(self, user_id: int, exclude: pd.DataFrame | None = None) -> Candidates:
        """Return all candidates with their probabilities; errors as for :meth:`recommend`."""
        user = self.users.read(user_id)
        if user is None:
            raise UnknownUser(f"There are no features of user {user_id}.")
        item_ids, channels = self._recall(user_id, exclude)
        if not len(item_ids):
            raise UnknownUser(f"Nothing is recalled for user {user_id}.")
        return Candidates(item_ids, channels, self.scorer.score(user, item_ids))

    def _picked(self, item_ids: np.ndarray, score: np.ndarray, k: int) -> np.ndarray:
        """Return the places of the items of the final list among the candidates."""
        if not self.diversity:
            return np.argsort(-score, kind="stable")[:k]
        vectors = vectors_or_zeros(self.item_vectors, item_ids)
        return maximal_marginal_relevance(score, vectors, k, self.diversity)

    def _recall(self, user_id: int, exclude) -> tuple[np.ndarray, list[str]]:
        if hasattr(self.recaller, "recommend_with_channels"):
            found, _, names = self.recaller.recommend_with_channels(
                [user_id], self.candidates, exclude
            )
        else:
            found, _ = self.recaller.recommend([user_id], self.candidates, exclude)
            names = np.full(found.shape, "")
        listed = found[0] >= 0
        return found[0][listed], names[0][listed].tolist()


def vectors_or_zeros(table: EmbeddingTable, item_ids: np.ndarray) -> np.ndarray:
    """Return the items' vectors, zeros where there is none: float32, (n, embedding_dim)."""
    row = table.index_of(item_ids)
    vectors = np.zeros((len(row), table.embedding_dim), np.float32)
    vectors[row >= 0] = table.vectors[row[row >= 0]]
    return vectors


def blend(probability: np.ndarray, ranking_weight: float) -> np.ndarray:
    """Return scores that mix the order of recall with the ranking model's: float64, (n,).

    The two speak of different things: recall of what a user will come to watch, the ranking model
    of whether a watched film is liked. As log-odds they add, weighted; that an item's chance falls
    as 1 / place stands in for the probability that recall does not give.

    Parameters
    ----------
    probability : float array, shape (n,)
        Of the candidates in the order of recall.
    ranking_weight : float
        In [0, 1]: ``ranking_weight * logit(p) - (1 - ranking_weight) * log(place)``.
    """
    p = np.clip(probability.astype(np.float64), 1e-7, 1 - 1e-7)
    place = np.arange(1, len(p) + 1)
    return ranking_weight * np.log(p / (1 - p)) - (1 - ranking_weight) * np.log(place)
