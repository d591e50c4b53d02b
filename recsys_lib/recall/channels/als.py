"""Matrix factorisation for implicit feedback by alternating least squares (Hu et al., 2008)."""

import numpy as np
from scipy import sparse

from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.factor_model import FactorModel
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import LIKE_THRESHOLD
from recsys_lib.seeding import DEFAULT_SEED, generator

ROWS_AT_ONCE = 1_024  # bounds the systems of equations that are solved together


class ImplicitALS(FactorModel):
    """User and item factors whose product is near 1 for likes and near 0 elsewhere.

    They minimise ``sum c_ui (p_ui - x_u . y_i)^2 + regularization (|x|^2 + |y|^2)`` over all
    pairs: ``p`` is 1 for a like and ``c`` is ``1 + alpha`` there, 0 and 1 elsewhere (Hu, Koren
    and Volinsky: Collaborative filtering for implicit feedback datasets, 2008). With one side
    fixed the other is a least squares problem a row, solved in closed form.

    Parameters
    ----------
    embedding_dim : int
    alpha : float
        Extra confidence of a like.
    regularization : float
    sweeps : int
        Times that both sides are solved.
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.
    seed : int
        Of the item factors at the start.

    Attributes
    ----------
    folding_vectors_ : float64 array, shape (n_items, embedding_dim)
        The item factors that the users' factors are solved against: those before the last sweep.
    """

    name = "als"

    def __init__(
        self,
        *,
        embedding_dim: int = 24,
        alpha: float = 1.0,
        regularization: float = 20.0,
        sweeps: int = 10,
        min_rating: float | None = LIKE_THRESHOLD,
        seed: int = DEFAULT_SEED,
    ):
        self.embedding_dim = embedding_dim
        self.alpha = alpha
        self.regularization = regularization
        self.sweeps = sweeps
        self.min_rating = min_rating
        self.seed = seed

    def _fit(self, seen: Histories) -> None:
        for name in ("embedding_dim", "alpha", "regularization", "sweeps"):
            if not getattr(self, name) > 0:
                raise RecsysError(f"{name} must be positive, not {getattr(self, name)}.")
        likes = seen.likes(self.min_rating)
        liked_by = likes.T.tocsr()
        draw = generator(self.seed, "als")
        items = draw.normal(0, 0.1, (seen.matrix.n_items, self.embedding_dim))
        for _ in range(self.sweeps):
            self.folding_vectors_ = items
            items = self.solve(liked_by, self.solve(likes, items))
        self.item_vectors_ = items.astype(np.float32)

    def _represent(self, given: Histories) -> np.ndarray:
        likes = given.likes(self.min_rating)
        return self.solve(likes, self.folding_vectors_).astype(np.float32)

    def solve(self, likes: sparse.csr_matrix, fixed: np.ndarray) -> np.ndarray:
        """Return the best rows of one side: float64, (n_rows, embedding_dim).

        Parameters
        ----------
        likes : scipy CSR matrix, shape (n_rows, n_columns)
        fixed : float64 array, shape (n_columns, embedding_dim)
            The other side.
        """
        dim = self.embedding_dim
        # What all rows share: every pair counts once, whether liked or not.
        common = fixed.T @ fixed + self.regularization * np.eye(dim)
        liked = np.unique(likes.indices)  # few, where one user is folded in
        likes, fixed = likes[:, liked], fixed[liked]
        outer = (fixed[:, :, None] * fixed[:, None, :]).reshape(len(fixed), dim * dim)
        solved = np.empty((likes.shape[0], dim))
        for start in range(0, len(solved), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            left = common + self.alpha * (likes[some] @ outer).reshape(-1, dim, dim)
            right = (1 + self.alpha) * (likes[some] @ fixed)  # (rows, dim)
            solved[some] = np.linalg.solve(left, right[:, :, None])[:, :, 0]
        return solved
