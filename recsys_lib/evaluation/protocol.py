"""One way to judge recallers, so that their numbers can stand in one table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.data.splits import Split
from recsys_lib.evaluation.beyond_accuracy import coverage
from recsys_lib.evaluation.intervals import Interval, mean_difference, mean_interval
from recsys_lib.evaluation.ranking import Relevant, ranking_metrics, relevant_items
from recsys_lib.schema import ITEM, USER


@dataclass(frozen=True)
class Evaluation:
    """What a recaller's lists were worth.

    Attributes
    ----------
    user_ids : int64 array, shape (n_users,)
        The users judged: those with a held-out like and, unless said otherwise, a history.
    per_user : dict of float64 arrays, shape (n_users,)
        ``recall_at_10`` and so on, see :func:`recsys_lib.evaluation.ranking_metrics`.
    coverage : float
        Share of the items known from history that appear in the users' lists of ``min(ks)``.
    """

    user_ids: np.ndarray
    per_user: dict[str, np.ndarray]
    coverage: float

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over users."""
        return float(self.per_user[metric].mean())

    def interval(self, metric: str) -> Interval:
        """Return the mean of a metric with its 95 % bootstrap interval over users."""
        return mean_interval(self.per_user[metric])

    def difference(self, other: "Evaluation", metric: str) -> Interval:
        """Return the difference to another evaluation of the same users, this one less that."""
        return mean_difference(self.per_user[metric], other.per_user[metric])


def judge(item_ids: np.ndarray, relevant: Relevant, n_items: int, ks=(10, 100)) -> Evaluation:
    """Judge lists that are at hand; rows in the order of ``relevant.user_ids``."""
    metrics = ranking_metrics(item_ids, relevant, ks)
    return Evaluation(relevant.user_ids, metrics, coverage(item_ids[:, : min(ks)], n_items))


def judged_users(split: Split, part: str, known_users_only: bool = True) -> Relevant:
    """Return who is judged on a part, with what they came to like there.

    Items that were in the user's history already are no longer relevant: they are never
    recommended. With ``known_users_only`` users without history are left out.
    """
    history = split.history(part)
    likes = split.likes(part)
    pairs = pd.MultiIndex.from_frame(likes[[USER, ITEM]])
    seen = pd.MultiIndex.from_frame(history[[USER, ITEM]])
    relevant = relevant_items(likes[~pairs.isin(seen)])
    return relevant.of(history[USER].unique()) if known_users_only else relevant


def evaluate(
    recaller, split: Split, part: str = "test", ks=(10, 100), known_users_only: bool = True
) -> Evaluation:
    """Judge a recaller that was fitted on ``split.history(part)``.

    Full ranking: every item of the history that the user has not seen competes.
    """
    relevant = judged_users(split, part, known_users_only)
    item_ids, _ = recaller.recommend(relevant.user_ids, max(ks))
    return judge(item_ids, relevant, split.history(part)[ITEM].nunique(), ks)
