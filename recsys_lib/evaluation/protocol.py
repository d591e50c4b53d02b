"""One way to evaluate recallers, so that their numbers can stand in one table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

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
        The users whose lists were evaluated: those with a held-out like and, unless said
        otherwise, a history. Whole numbers, as they stand for them in the recaller.
    per_user : dict of float64 arrays, shape (n_users,)
        ``recall_at_10`` and so on, see :func:`recsys_lib.evaluation.ranking_metrics`.
    coverage : float
        Share of the items known from history that appear in the users' lists of ``min(ks)``.
    item_ids : int64 array, shape (n_users, max(ks)), padded with -1
        The lists.
    """

    user_ids: np.ndarray
    per_user: dict[str, np.ndarray]
    coverage: float
    item_ids: np.ndarray

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over users, NaN where there is none."""
        return float(self.per_user[metric].mean()) if self.n_users else np.nan

    def interval(self, metric: str) -> Interval:
        """Return the mean of a metric with its 95 % bootstrap interval over users."""
        return mean_interval(self.per_user[metric])

    def difference(self, other: "Evaluation", metric: str) -> Interval:
        """Return the difference to another evaluation of the same users, this one less that."""
        return mean_difference(self.per_user[metric], other.per_user[metric])


def evaluate(model, train, test, ks=(10, 100), known_users_only: bool = True) -> Evaluation:
    """Evaluate a recaller that was fitted on ``train`` by what users liked in ``test``.

    Full ranking: every item of ``train`` that the user has not seen competes.

    Parameters
    ----------
    model : Recaller
    train, test : DataFrame or Interactions
        In the person's ids. A like is a rating of 3.5 stars or more; without ratings every row
        of ``test`` is one.
    ks : ints
        Lengths at which the lists are cut.
    known_users_only : bool
        Whether users without a history are left out; otherwise they count as 0.
    """
    train, test = model.encode(train), model.encode(test)
    relevant = held_out_likes(train, test, known_users_only)
    found = model.lists(relevant.user_ids, max(ks))
    return evaluate_lists(found.item_ids, relevant, train[ITEM].nunique(), ks)


def evaluate_lists(
    item_ids: np.ndarray, relevant: Relevant, n_items: int, ks=(10, 100)
) -> Evaluation:
    """Evaluate lists that are at hand.

    Parameters
    ----------
    item_ids : int64 array, shape (n_users, >= max(ks)), padded with -1
        Rows in the order of ``relevant.user_ids``.
    relevant : Relevant
        As :func:`held_out_likes` returns.
    n_items : int
        Size of the catalogue, for the coverage.
    ks : ints
    """
    metrics = ranking_metrics(item_ids, relevant, ks)
    covered = coverage(item_ids[:, : min(ks)], n_items)
    return Evaluation(relevant.user_ids, metrics, covered, item_ids[:, : max(ks)])


def held_out_likes(
    train: pd.DataFrame, test: pd.DataFrame, known_users_only: bool = True
) -> Relevant:
    """Return what users came to like in ``test``: by which their lists are evaluated.

    Items that were in the user's history already do not count, since they are never recommended.
    With ``known_users_only`` users without a history are left out.
    """
    pairs = pd.MultiIndex.from_frame(test[[USER, ITEM]])
    seen = pd.MultiIndex.from_frame(train[[USER, ITEM]])
    relevant = relevant_items(test[~pairs.isin(seen)])
    return relevant.of(train[USER].unique()) if known_users_only else relevant
