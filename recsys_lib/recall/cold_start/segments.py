"""Popularity among people like the newcomer: by segment, and by cluster of users (S23)."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.errors import RecsysError
from recsys_lib.recall.cold_start.attributes import COLUMNS, ReadsUsers, shrunk
from recsys_lib.recall.cold_start.encoding import OneHot
from recsys_lib.schema import LIKE_THRESHOLD
from recsys_lib.seeding import DEFAULT_SEED, generator


class InClasses(ReadsUsers):
    """A channel with one list for each class of users, ready before the users come.

    Attributes
    ----------
    class_scores_ : float32 array, shape (n_classes, n_items)
        The estimated share of likers of each item in each class.
    """

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.class_scores_[users]


class SegmentPopular(InClasses):
    """What people of the same segment like; small segments lean on larger ones.

    The columns are a path from broad to narrow: everybody, then those who share the first column,
    then those who share the first two, and so on. The share of likers in a segment is shrunk
    towards that of the segment above (empirical Bayes; Efron and Morris, 1975), so that a segment
    of three people says little. A hand-written rule is a column, too.

    Parameters
    ----------
    users, columns, min_rating
        See :class:`ReadsUsers`; the order of the columns is the path.
    prior_users : float
        How many users of its own outweigh the segment above.

    Attributes
    ----------
    segments_ : dict of str to int
        The class of each segment, by its values joined by ``|``; the empty text is everybody.
    class_sizes_ : int64 array
        Users that were learned from, in each segment.
    """

    name = "segment_popular"

    def __init__(
        self,
        users: pd.DataFrame | None = None,
        *,
        columns: tuple[str, ...] = COLUMNS,
        prior_users: float = 50.0,
        min_rating: float | None = LIKE_THRESHOLD,
    ):
        super().__init__(users, columns=columns, min_rating=min_rating)
        self.prior_users = prior_users

    def _learn(self, values: pd.DataFrame, likes: sparse.csr_matrix) -> None:
        if not self.prior_users >= 0:
            raise RecsysError(f"prior_users must not be negative, not {self.prior_users}.")
        everybody = np.asarray(likes.mean(axis=0)).ravel()
        self.segments_, scores, sizes = {"": 0}, [everybody], [likes.shape[0]]
        for depth in range(1, len(self.columns_) + 1):
            paths = _paths(values, depth)
            for path in sorted(set(paths) - {None}):
                members = likes[np.flatnonzero(paths == path)]
                above = scores[self.segments_[path.rpartition("|")[0]]]
                sums = np.asarray(members.sum(axis=0)).ravel()
                self.segments_[path] = len(scores)
                scores.append(shrunk(sums, members.shape[0], above, self.prior_users))
                sizes.append(members.shape[0])
        self.class_scores_ = np.array(scores, np.float32)
        self.class_sizes_ = np.array(sizes, np.int64)

    def _of_values(self, values: pd.DataFrame) -> np.ndarray:
        found = np.zeros(len(values), np.int64)
        for depth in range(1, len(self.columns_) + 1):
            place = [self.segments_.get(path, -1) for path in _paths(values, depth)]
            found = np.where(np.array(place, np.int64) >= 0, place, found)
        return found


def _paths(values: pd.DataFrame, depth: int) -> np.ndarray:
    """Return the first values of each user joined by ``|``; None where one of them is unknown."""
    parts = values.iloc[:, :depth]
    joined = ["|".join(row) if all(row) else None for row in parts.itertuples(index=False)]
    return np.array(joined, dtype=object)


class ClusterPopular(InClasses):
    """What people of the same cluster like: k-means over all attributes, (n_users, one-hot).

    Parameters
    ----------
    users, columns, min_rating
        See :class:`ReadsUsers`.
    n_clusters : int
    prior_users : float
        How many users of its own outweigh everybody.
    seed : int
        Of the first centres (k-means++; Arthur and Vassilvitskii, 2007).

    Attributes
    ----------
    centres_ : float64 array, shape (n_clusters, n_values)
    encoder_ : dict
        The values that are known, see :class:`OneHot`.
    """

    name = "cluster_popular"

    def __init__(
        self,
        users: pd.DataFrame | None = None,
        *,
        columns: tuple[str, ...] = COLUMNS,
        n_clusters: int = 8,
        prior_users: float = 50.0,
        min_rating: float | None = LIKE_THRESHOLD,
        seed: int = DEFAULT_SEED,
    ):
        super().__init__(users, columns=columns, min_rating=min_rating)
        self.n_clusters = n_clusters
        self.prior_users = prior_users
        self.seed = seed

    def _learn(self, values: pd.DataFrame, likes: sparse.csr_matrix) -> None:
        if self.n_clusters < 1:
            raise RecsysError(f"n_clusters must be at least 1, not {self.n_clusters}.")
        encoder = OneHot.of(values)
        self.encoder_ = encoder.known
        features = encoder.encode(values)
        self.centres_ = k_means(features, self.n_clusters, self.seed)
        cluster = nearest_centre(features, self.centres_)
        everybody = np.asarray(likes.mean(axis=0)).ravel()
        self.class_scores_ = np.array(
            [
                shrunk(
                    np.asarray(likes[np.flatnonzero(cluster == c)].sum(axis=0)).ravel(),
                    (cluster == c).sum(),
                    everybody,
                    self.prior_users,
                )
                for c in range(len(self.centres_))
            ]
            + [everybody],
            np.float32,
        )

    def _of_values(self, values: pd.DataFrame) -> np.ndarray:
        features = OneHot(self.encoder_).encode(values)
        # Of whom nothing is known belongs to the last class, which is everybody.
        nothing = len(self.centres_)
        return np.where(features.any(axis=1), nearest_centre(features, self.centres_), nothing)


def k_means(points: np.ndarray, k: int, seed: int, sweeps: int = 50) -> np.ndarray:
    """Return the centres of at most ``k`` clusters (Lloyd, 1957): float64, (k, dim).

    Parameters
    ----------
    points : float array, shape (n, dim)
    k : int
        Fewer, where there are fewer distinct points.
    seed : int
    sweeps : int
        Passes at most; it ends where the centres stand still.
    """
    rng = generator(seed, "k-means")
    centres = points[[rng.integers(len(points))]].astype(np.float64)
    while len(centres) < min(k, len(np.unique(points, axis=0))):
        far = _squared_distances(points, centres).min(axis=1)
        centres = np.vstack([centres, points[rng.choice(len(points), p=far / far.sum())]])
    for _ in range(sweeps):
        cluster = nearest_centre(points, centres)
        member = cluster[:, None] == np.arange(len(centres))  # (n, k)
        size = member.sum(axis=0)[:, None]
        moved = np.where(size > 0, member.T @ points / np.maximum(size, 1), centres)
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres


def nearest_centre(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the number of the nearest centre of each point: int64, (n,)."""
    return _squared_distances(points, centres).argmin(axis=1)


def _squared_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    difference = points[:, None, :] - centres[None, :, :]  # (n, k, dim)
    return np.square(difference).sum(axis=2)
