"""LSH for the Euclidean distance: slices of random projections (Datar et al., 2004)."""

import numpy as np
from scipy.special import ndtr

from recsys_lib.errors import RecsysError
from recsys_lib.indexes.lsh import LSHIndex
from recsys_lib.seeding import DEFAULT_SEED, generator


def hash_values(
    vectors: np.ndarray, directions: np.ndarray, offsets: np.ndarray, width: float
) -> np.ndarray:
    """Return ``floor((x . v + b) / w)`` for each vector x and each pair of direction v, offset b.

    Parameters
    ----------
    vectors : float array, shape (n, embedding_dim)
    directions : float array, shape (embedding_dim, n_functions)
    offsets : float array, shape (n_functions,)
        In units of length, from 0 up to ``width``.
    width : float
        Width of a bucket (分桶), in units of length.

    Returns
    -------
    int64 array, shape (n, n_functions)
    """
    return np.floor((vectors @ directions + offsets) / width).astype(np.int64)


def collision_probability(
    distance, width: float, n_hashes: int = 1, n_tables: int = 1
) -> np.ndarray:
    """Return the probability that two points meet in a bucket, in closed form.

    For one function it is ``1 - 2 Phi(-r) - 2 (1 - exp(-r^2 / 2)) / (sqrt(2 pi) r)`` with
    ``r = width / distance`` (Datar et al., 2004, section 3.2), over directions of independent
    normal numbers and offsets uniform on one bucket. All ``n_hashes`` of a table must agree (AND),
    in one of ``n_tables`` at least (OR).

    Parameters
    ----------
    distance : float or array
        Euclidean distance of the points, in units of length.
    width, n_hashes, n_tables
        As in :class:`EuclideanLSH`.
    """
    distance = np.asarray(distance, dtype=np.float64)
    ratio = width / np.where(distance > 0, distance, 1)
    tail = (1 - np.exp(-(ratio**2) / 2)) * 2 / (np.sqrt(2 * np.pi) * ratio)
    one = np.where(distance > 0, 1 - 2 * ndtr(-ratio) - tail, 1.0)
    return 1 - (1 - one**n_hashes) ** n_tables


class EuclideanLSH(LSHIndex):
    """Hashes with ``floor((x . v + b) / w)``, v of independent normal numbers.

    Parameters
    ----------
    n_tables : int
        More tables find more of the neighbours, and examine more candidates.
    n_hashes : int
        Functions a table, at most 62; more of them make buckets smaller.
    width : float
        Bucket width, in units of length of the vectors: of the order of the distances searched.
    n_probes : int
        Further buckets a query looks into, over all tables together.
    random_offsets : bool
        Draw each offset b uniformly from one bucket. False fixes all of them at 0, which leaves
        the bucket edges where they are: it is here to show what that costs.
    seed : int
        Of directions and offsets.

    Attributes
    ----------
    directions_ : float32 array, shape (embedding_dim, n_tables * n_hashes)
    offsets_ : float32 array, shape (n_tables * n_hashes,)
    """

    metric = "euclidean"
    SETTINGS = ("n_tables", "n_hashes", "width", "n_probes", "random_offsets", "seed")
    LEARNT = (*LSHIndex.LEARNT, "offsets_")

    def __init__(
        self,
        *,
        n_tables: int = 8,
        n_hashes: int = 4,
        width: float = 1.0,
        n_probes: int = 0,
        random_offsets: bool = True,
        seed: int = DEFAULT_SEED,
    ):
        self.n_tables = n_tables
        self.n_hashes = n_hashes
        self.width = width
        self.n_probes = n_probes
        self.random_offsets = random_offsets
        self.seed = seed

    def _draw(self, embedding_dim: int) -> None:
        super()._draw(embedding_dim)
        if not 0 < self.width < np.inf:
            raise RecsysError(f"width must be positive and finite, not {self.width}.")
        offsets = generator(self.seed, "lsh offsets").random(self.directions_.shape[1]) * self.width
        self.offsets_ = (offsets if self.random_offsets else 0 * offsets).astype(np.float32)

    def _values(self, vectors: np.ndarray) -> np.ndarray:
        return hash_values(vectors, self.directions_, self.offsets_, self.width)

    def _moves(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        position = (queries @ self.directions_ + self.offsets_) / self.width  # (m, n_functions)
        value = np.floor(position)
        from_left = position - value
        cost = np.stack([from_left, 1 - from_left], axis=2) ** 2
        return value.astype(np.int64), cost, np.broadcast_to(np.array([-1, 1]), cost.shape)

    def collision_probability(self, distance) -> np.ndarray:
        return collision_probability(distance, self.width, self.n_hashes, self.n_tables)
