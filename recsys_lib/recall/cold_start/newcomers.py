"""From the first request to the hundredth: who is answered by which model (S23)."""

import numpy as np

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import ROWS_AT_ONCE, Lists
from recsys_lib.recall.merge import fuse
from recsys_lib.recall.vocabulary import Vocabulary


class Newcomers(Recaller):
    """A list for every user: by who they are at first, by what they like the more that is known.

    Both models name their best items. Each item's score is put on a scale from 0 (the lowest of
    the list) to 1, and the two are added with the weights ``half_events / (n + half_events)`` and
    ``n / (n + half_events)``, where n is the number of the user's events, fitted or given as a
    history. Without events the list is that of ``newcomer``; at ``half_events`` both have the
    same say.

    Parameters
    ----------
    newcomer : Recaller
        What answers without events, such as :class:`AttributeRidge` or :class:`SegmentPopular`.
    personal : Recaller
        What answers from events, such as :class:`recsys_lib.recall.ItemKNN`.
    half_events : float
        Positive. The default is what validation chooses on MovieLens 100K, in notebook 13.
    depth : int
        Places of both lists that are looked at (more, if more are asked for).
    """

    name = "newcomers"

    def __init__(
        self,
        newcomer: Recaller,
        personal: Recaller,
        *,
        half_events: float = 10.0,
        depth: int = 200,
    ):
        self.newcomer = newcomer
        self.personal = personal
        self.half_events = half_events
        self.depth = depth

    @property
    def scores_histories(self) -> bool:
        """Whether both models score histories."""
        return self.newcomer.scores_histories and self.personal.scores_histories

    @property
    def has_similar_items(self) -> bool:
        """Whether the personal model compares items."""
        return self.personal.has_similar_items

    def learn(self, seen: Histories, vocabulary: Vocabulary) -> None:
        if not self.half_events > 0:
            raise RecsysError(f"half_events must be positive, not {self.half_events}.")
        for part in (self.newcomer, self.personal):
            part.learn(seen, vocabulary)
        self.matrix_, self.vocabulary_ = seen.matrix, vocabulary

    def share(self, matrix: InteractionMatrix) -> None:
        super().share(matrix)
        for part in (self.newcomer, self.personal):
            part.share(matrix)

    def register(self, users) -> None:
        """Hand new users on to ``newcomer``; see :meth:`ReadsUsers.register`."""
        if not hasattr(self.newcomer, "register"):
            raise RecsysError(
                f"{type(self.newcomer).__name__} reads no users' table, so that it cannot take in "
                "new users. Use AttributeRidge, SegmentPopular or ClusterPopular as newcomer."
            )
        self.newcomer.register(users)

    def lists(self, users, k=10, histories=None, exclude=None) -> Lists:
        self._check_request(k, histories)
        users = np.asarray(users, np.int64)
        if histories is not None:
            histories = Histories.of(histories, self.matrix_.item_ids, users=users)
        depth = max(k, self.depth)
        parts = {
            "newcomer": self.newcomer.lists(users, depth, histories, exclude),
            "personal": self.personal.lists(users, depth, histories, exclude),
        }
        n_events = self._n_events(users, histories)
        answer = Lists.empty(users, k, [self.newcomer.name, self.personal.name])
        for n in np.unique(n_events):
            rows = np.flatnonzero(n_events == n)
            for start in range(0, len(rows), ROWS_AT_ONCE):
                self._fill(answer, rows[start : start + ROWS_AT_ONCE], parts, float(n))
        return answer

    def _fill(self, answer: Lists, rows: np.ndarray, parts: dict[str, Lists], n: float) -> None:
        """Write the joined lists of users with ``n`` events to their rows."""
        some = {name: part.take(rows) for name, part in parts.items()}
        weights = {"newcomer": self.half_events, "personal": n}
        if n == 0:  # nothing personal is known, whatever the personal model says
            del some["personal"], weights["personal"]
        k = answer.item_ids.shape[1]
        total = self.half_events + n
        shares = {name: weight / total for name, weight in weights.items()}
        joined = fuse(some, shares, "score", self.matrix_.item_ids, k)
        answer.item_ids[rows], answer.scores[rows] = joined.item_ids, joined.scores
        answer.channel_index[rows] = joined.channel_index

    def similar_lists(self, items, k=10) -> Lists:
        self._check_request(k)
        return self.personal.similar_lists(items, k)

    def _n_events(self, users: np.ndarray, histories: Histories | None) -> np.ndarray:
        """Return the number of events of each user, those of the history where there is one."""
        found = np.zeros(len(users), np.int64)
        for matrix in (self.matrix_, *([] if histories is None else [histories.matrix])):
            row, n = matrix.users_of(users), np.diff(matrix.ratings.indptr)
            if len(n):
                found = np.where(row >= 0, n[row], found)
        return found
