"""LSH for the cosine: sides of random hyperplanes (Charikar, 2002)."""

import numpy as np

from recsys_lib.indexes.lsh import LSHIndex
from recsys_lib.seeding import DEFAULT_SEED


def angular_collision_probability(angle, n_hashes: int = 1, n_tables: int = 1) -> np.ndarray:
    """Return the probability that two vectors meet in a bucket, in closed form.

    A random hyperplane through the origin parts two vectors with probability ``angle / pi``
    (Charikar, 2002). All ``n_hashes`` of a table must agree (AND), in one of ``n_tables`` at
    least (OR).

    Parameters
    ----------
    angle : float or array
        Between the vectors, in radians, from 0 to pi.
    n_hashes, n_tables
        As in :class:`CosineLSH`.
    """
    one = 1 - np.asarray(angle, dtype=np.float64) / np.pi
    return 1 - (1 - one**n_hashes) ** n_tables


class CosineLSH(LSHIndex):
    """Hashes with ``[x . v >= 0]``: one bit for each random hyperplane (随机超平面).

    Parameters
    ----------
    n_tables : int
        More tables find more of the neighbours, and examine more candidates.
    n_hashes : int
        Bits a table, at most 62. With log2 of the number of items a bucket holds one on average.
    n_probes : int
        Further buckets a query looks into, over all tables together.
    seed : int
        Of the hyperplanes.

    Attributes
    ----------
    directions_ : float32 array, shape (embedding_dim, n_tables * n_hashes)
        The hyperplanes' normals.
    """

    metric = "cosine"
    SETTINGS = ("n_tables", "n_hashes", "n_probes", "seed")

    def __init__(
        self,
        *,
        n_tables: int = 8,
        n_hashes: int = 8,
        n_probes: int = 0,
        seed: int = DEFAULT_SEED,
    ):
        self.n_tables = n_tables
        self.n_hashes = n_hashes
        self.n_probes = n_probes
        self.seed = seed

    def _values(self, vectors: np.ndarray) -> np.ndarray:
        return (vectors @ self.directions_ >= 0).astype(np.int64)

    def _moves(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        projection = queries @ self.directions_  # (m, n_functions)
        value = (projection >= 0).astype(np.int64)
        return value, projection[:, :, None] ** 2, 1 - 2 * value[:, :, None]

    def collision_probability(self, distance) -> np.ndarray:
        angle = np.arccos(np.clip(1 - np.asarray(distance, dtype=np.float64), -1, 1))
        return angular_collision_probability(angle, self.n_hashes, self.n_tables)
