"""Users to learn from: fitted on real ratings, so that the truth is known and not invented.

A log of ratings cannot show that exploring pays: it holds what users chose themselves. Here the
probability that a user likes an item is a model fitted on such a log, and a policy may ask for any.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.utils.extmath import randomized_svd

from recsys_lib.data.matrix import index_of
from recsys_lib.errors import DataError
from recsys_lib.evaluation.off_policy import Logged
from recsys_lib.online.bandits import Bandit
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, USER
from recsys_lib.seeding import DEFAULT_SEED, generator


@dataclass(frozen=True)
class SimulatedUsers:
    """Users with contexts, and the probability that each likes each arm.

    Attributes
    ----------
    contexts : float64 array, shape (users, dim)
        What a policy sees; the first column is 1.
    like_chances : float64 array, shape (users, arms)
        What it does not see.
    item_ids : int64 array, shape (arms,)
    user_ids : int64 array, shape (users,), optional
        Of the ratings that they were fitted on.
    """

    contexts: np.ndarray
    like_chances: np.ndarray
    item_ids: np.ndarray
    user_ids: np.ndarray | None = None

    @classmethod
    def fit(
        cls,
        interactions: pd.DataFrame,
        *,
        n_arms: int = 20,
        dim: int = 8,
        min_ratings: int = 20,
        seed: int = DEFAULT_SEED,
    ) -> Self:
        """Fit users on ratings.

        The arms are the items rated most, contexts come from a truncated SVD of the likes of all
        *other* items (scaled to unit variance), and each arm's chances from a logistic regression
        on the contexts of those who rated it.

        Parameters
        ----------
        interactions : DataFrame
            ``user_id``, ``item_id``, ``rating``.
        n_arms : int
        dim : int
            Numbers in a context, the constant 1 included.
        min_ratings : int
            Users with fewer ratings are left out.
        seed : int
            Of the SVD.

        Raises
        ------
        DataError
            There are too few items, or an arm has no like or no dislike.
        """
        counts = interactions[ITEM].value_counts()
        if len(counts) <= n_arms:
            raise DataError(f"{n_arms} arms need more items than the {len(counts)} there are.")
        # Ties by id, whatever the order of the rows.
        ordered = counts.rename("n").reset_index().sort_values(["n", ITEM], ascending=[False, True])
        arms = np.sort(ordered[ITEM].to_numpy(np.int64)[:n_arms])
        ratings_of = interactions[USER].value_counts()
        users = np.sort(ratings_of.index[ratings_of >= min_ratings].to_numpy(np.int64))
        rows = interactions[interactions[USER].isin(users)]
        row_user = index_of(users, rows[USER].to_numpy())
        liked = (rows[RATING] >= LIKE_THRESHOLD).to_numpy()
        arm = index_of(arms, rows[ITEM].to_numpy())
        contexts = _contexts(row_user, rows[ITEM].to_numpy(), liked, arm < 0, len(users), dim, seed)
        chances = np.empty((len(users), n_arms))
        for place, item_id in enumerate(arms):
            of_arm = arm == place
            if np.unique(liked[of_arm]).size < 2:
                raise DataError(f"Item {item_id} has no likes or no dislikes to learn from.")
            model = LogisticRegression().fit(contexts[row_user[of_arm]], liked[of_arm])
            chances[:, place] = model.predict_proba(contexts)[:, 1]
        return cls(contexts, chances, arms, users)

    def of(self, rows: np.ndarray) -> Self:
        """Return some of the users, given by their rows: one part chooses settings, one tests."""
        ids = None if self.user_ids is None else self.user_ids[rows]
        return SimulatedUsers(self.contexts[rows], self.like_chances[rows], self.item_ids, ids)

    def log(self, chances: np.ndarray, users: np.ndarray, rng: np.random.Generator) -> Logged:
        """Let a policy choose for users, and log what came of it.

        Parameters
        ----------
        chances : array, shape (users, arms)
            With what probability the policy chooses each arm, for every user.
        users : int array, shape (n,)
            Rows of ``contexts``, one a round.
        rng : Generator
        """
        ends = np.cumsum(chances[users], axis=1)
        draws = rng.random(len(users))[:, None] * ends[:, -1:]
        arms = (draws >= ends).sum(axis=1)
        rewards = (rng.random(len(users)) < self.like_chances[users, arms]).astype(np.float64)
        return Logged(arms, rewards, chances[users, arms])

    def value_of(self, chances: np.ndarray) -> float:
        """Return the true mean reward of a policy over all users.

        Parameters
        ----------
        chances : array, shape (users, arms)
        """
        return float((chances * self.like_chances).sum(axis=1).mean())


@dataclass(frozen=True)
class Played:
    """How a bandit did.

    Attributes
    ----------
    rounds : int64 array, shape (points,)
        Rounds played at each point of the curves.
    regret : float64 array, shape (runs, points)
        Likes that the best arm of each user would have brought more, in expectation, so far.
    likes : float64 array, shape (runs, points)
        Likes so far.
    """

    rounds: np.ndarray
    regret: np.ndarray
    likes: np.ndarray


def play(
    bandit: Bandit,
    users: SimulatedUsers,
    *,
    n_rounds: int,
    n_runs: int = 20,
    n_points: int = 50,
    seed: int = DEFAULT_SEED,
) -> Played:
    """Let a bandit learn in ``n_runs`` independent runs, all at once.

    In each round of a run a random user comes. The users, and whether they would like each arm,
    depend on the seed alone: bandits played with one seed can be compared run by run.

    Parameters
    ----------
    bandit : Bandit
        It starts anew, and holds what all runs have learned afterwards.
    users : SimulatedUsers
    n_rounds : int
    n_runs : int
    n_points : int
        Points at which the curves are kept, evenly spread.
    seed : int
    """
    n_users, n_arms = users.like_chances.shape
    bandit.start(n_runs, n_arms, users.contexts.shape[1])
    visits, decisions = generator(seed, "visits"), generator(seed, "decisions")
    best = users.like_chances.max(axis=1)
    points = np.unique(np.linspace(0, n_rounds, n_points + 1).round().astype(np.int64)[1:])
    regret, likes = np.zeros(n_runs), np.zeros(n_runs)
    curves = np.empty((2, n_runs, len(points)))
    point = 0
    for round_number in range(1, n_rounds + 1):
        who = visits.integers(n_users, size=n_runs)
        mood = visits.random(n_runs)
        contexts = users.contexts[who]
        arms = bandit.choose(contexts, decisions)
        chance = users.like_chances[who, arms]
        rewards = (mood < chance).astype(np.float64)
        bandit.update(contexts, arms, rewards)
        regret += best[who] - chance
        likes += rewards
        if round_number == points[point]:
            curves[:, :, point] = regret, likes
            point += 1
    return Played(points, curves[0], curves[1])


def _contexts(row_user, row_item, liked, usable, n_users: int, dim: int, seed: int) -> np.ndarray:
    """Return 1 and the first singular vectors of who likes what: float64, (users, dim)."""
    _, columns = np.unique(row_item[usable], return_inverse=True)
    if columns.size == 0 or columns.max() + 1 < dim:
        raise DataError(f"Contexts of {dim} numbers need as many items that are no arms.")
    taste = np.zeros((n_users, columns.max() + 1))
    # A like speaks for, a dislike against, what was not rated for neither.
    taste[row_user[usable], columns] = np.where(liked[usable], 1.0, -1.0)
    u, s, _ = randomized_svd(taste, dim - 1, random_state=seed)
    vectors = u * s
    vectors = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    return np.concatenate([np.ones((n_users, 1)), vectors], axis=1)
