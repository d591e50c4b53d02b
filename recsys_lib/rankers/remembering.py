"""A ranker that remembers its scores, for experiments that order the same candidates again."""

import numpy as np

from recsys_lib.rankers.base import Candidates, Ranker


class Remembering(Ranker):
    """Asks another ranker once for each user and set of candidates.

    A service should not use it: it never forgets, so it misses what changes about a user.

    Parameters
    ----------
    ranker : Ranker
    """

    def __init__(self, ranker: Ranker):
        self.ranker = ranker
        self._scores: dict[tuple[int, bytes], np.ndarray] = {}

    @property
    def gives_probabilities(self) -> bool:
        """As the other ranker."""
        return self.ranker.gives_probabilities

    def score(self, candidates: Candidates) -> np.ndarray:
        key = candidates.user_id, candidates.item_ids.tobytes()
        if key not in self._scores:
            self._scores[key] = self.ranker.score(candidates)
        return self._scores[key]
