"""What a user would rate an item, given that they rate it: factors and biases."""

from typing import Self

import numpy as np
from scipy import sparse

from recsys_lib.seeding import DEFAULT_SEED, generator


class RatingModel:
    """Ratings as a mean, biases of user and item, and a product of factors.

    Fitted by alternating least squares on the ratings that are there, each side's penalty growing
    with its number of ratings (Zhou et al.: Large-scale parallel collaborative filtering for the
    Netflix prize, 2008). It tells whether a film that is watched will be liked, not whether it
    will be watched; it is one feature of a ranking stage and no recaller.

    Parameters
    ----------
    dim : int
        Number of factors.
    regularization : float
        Per rating of a row.
    sweeps : int
        Times that both sides are solved.
    seed : int
    """

    def __init__(
        self, dim: int = 8, regularization: float = 0.1, sweeps: int = 6, seed: int = DEFAULT_SEED
    ):
        self.dim = dim
        self.regularization = regularization
        self.sweeps = sweeps
        self.seed = seed

    def fit(self, users: np.ndarray, items: np.ndarray, stars: np.ndarray, shape) -> Self:
        """Learn from ratings.

        Parameters
        ----------
        users, items : int arrays, shape (n,)
            Rows and columns.
        stars : float array, shape (n,)
        shape : (int, int)
            Number of users and of items.
        """
        n_users, n_items = shape
        self.mean_ = float(stars.mean())
        self.n_items = n_items
        above = sparse.csr_array((stars - self.mean_, (users, items)), shape)
        by_item = above.T.tocsr()
        draw = generator(self.seed, "rating model")
        # The last two columns are the biases: 1 and b of a user meet b and 1 of an item.
        of_items = np.zeros((n_items, self.dim + 2))
        of_items[:, : self.dim] = draw.normal(0, 0.1, (n_items, self.dim))
        of_items[:, -1] = 1
        of_users = np.ones((n_users, self.dim + 2))
        for _ in range(self.sweeps):
            of_users[:, [*range(self.dim), self.dim + 1]] = self._solved(above, of_items, self.dim)
            free = self._solved(by_item, of_users, self.dim + 1)
            of_items[:, : self.dim + 1] = free
        self.users_, self.items_ = of_users, of_items
        return self

    def expected(self, row: int, items: np.ndarray, stars: np.ndarray) -> np.ndarray:
        """Return the expected rating of every item in stars: float64, (n_items,).

        Parameters
        ----------
        row : int
            Of a user that was fitted; -1 for somebody else, of whom the ratings follow.
        items, stars : arrays, shape (n,)
            A user's ratings.
        """
        if row >= 0:
            return self.mean_ + self.items_ @ self.users_[row]
        user = np.ones(self.dim + 2)
        one = sparse.csr_array(
            (stars - self.mean_, (np.zeros(len(items), int), items)), (1, self.n_items)
        )
        user[[*range(self.dim), self.dim + 1]] = self._solved(one, self.items_, self.dim)[0]
        return self.mean_ + self.items_ @ user

    def _solved(self, ratings: sparse.csr_array, others: np.ndarray, fixed: int) -> np.ndarray:
        """Solve each row against the other side.

        ``fixed`` is the column of ``others`` whose counterpart in the row is fixed to 1: the other
        side's bias, which is taken off the ratings first.
        """
        free = np.delete(np.arange(others.shape[1]), fixed)
        solved = np.zeros((ratings.shape[0], len(free)))
        eye = np.eye(len(free))
        for row in range(len(solved)):
            at = slice(ratings.indptr[row], ratings.indptr[row + 1])
            columns = ratings.indices[at]
            if len(columns):
                known = others[columns]
                left = known[:, free].T @ known[:, free]
                right = known[:, free].T @ (ratings.data[at] - known[:, fixed])
                left += self.regularization * (len(columns) + 5) * eye
                solved[row] = np.linalg.solve(left, right)
        return solved
