"""EASE: the linear model that predicts an item from all others, in closed form (Steck, 2019)."""

import numpy as np
from scipy import sparse

from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.item_model import ItemModel
from recsys_lib.recall.channels.pairs import pairs_within
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, USER

# The dense inverse takes 8 bytes x n_items^2 several times over: about 10 GB at this size.
LARGEST_CATALOGUE = 20_000
# Places of a user's sequence that count as near. On validation no longer reach did any better.
NEAR = 20


class Ease(ItemModel):
    """Score = the user's likes times item weights ``B``.

    ``B`` minimises the squared error of ``X B`` against the likes ``X`` plus
    ``regularization * |B|^2``, with a diagonal of zero so that no item predicts itself.

    Parameters
    ----------
    regularization : float
        In likes: what is added to each item's count on the diagonal of ``X^T X``. The
        default is what validation chooses on MovieLens 100K, in the lab 05_lab_recall.
    dropout : float
        In [0, 1): share of a user's likes hidden at random while the rest predicts them. In
        expectation that adds ``dropout / (1 - dropout)`` times an item's count to the diagonal
        (Steck: Autoencoders that don't overfit towards the Identity, 2020); 0 is plain EASE.
    rating_weight : float
        What a like's weight gains for each standard deviation that its rating lies above the mean
        of all ratings (and loses below); 0 gives all likes the weight 1.
    user_damping : float
        Users with n likes count as ``n ** -user_damping`` in learning: at 0 somebody with 500
        likes shapes the weights 100 times as much as somebody with 50 (pairs of likes count), at
        1 ten times.
    agreement_weight : float
        What a pair of likes gains, beside the 1 of any pair, for each square of a star by which
        both ratings lie above the user's own mean, or both below; where they lie on different
        sides it loses as much. It is as if every user were there a second time, with the distances
        of the ratings to the mean in place of the likes. At 0 the ratings do not join items.
    near_weight : float
        What a pair of likes gains, beside the 1 of any pair, where they follow each other in a
        user's sequence; ``d`` places apart they gain ``near_weight / d``, up to 20 places. What is
        taken in one sitting, perhaps from one page, goes together more often than what lies far
        apart. At 0 the order of likes is not read. An item gains twice as much on the diagonal, for
        each like: the matrix stays positive definite, since ``1 + cos(x) + cos(2x) / 2 + ... +
        cos(nx) / n`` is never negative (Young: On a certain series of Fourier, 1913). Where users
        are few and items many, the fit takes much longer with it.
    min_rating, half_life_likes
        See :class:`ItemModel`.

    Attributes
    ----------
    rating_mean_, rating_stddev_ : float
        Of all ratings that :meth:`fit` saw, in stars.
    """

    name = "ease"

    def __init__(
        self,
        *,
        regularization: float = 800.0,
        dropout: float = 0.0,
        rating_weight: float = 0.0,
        user_damping: float = 0.0,
        agreement_weight: float = 0.0,
        near_weight: float = 0.0,
        min_rating: float | None = LIKE_THRESHOLD,
        half_life_likes: float | None = None,
    ):
        super().__init__(min_rating=min_rating, half_life_likes=half_life_likes)
        self.regularization = regularization
        self.dropout = dropout
        self.rating_weight = rating_weight
        self.user_damping = user_damping
        self.agreement_weight = agreement_weight
        self.near_weight = near_weight

    def _fit(self, seen: Histories) -> None:
        stars = seen.matrix.ratings.data
        self.rating_mean_, self.rating_stddev_ = float(stars.mean()), float(stars.std())
        self._check_half_life()
        for name in ("agreement_weight", "near_weight"):
            if getattr(self, name) < 0:
                raise RecsysError(f"{name} must not be negative, not {getattr(self, name)}.")
        above = self._above(seen) if self.agreement_weight else None
        near = self._near(seen) if self.near_weight else None
        self.weights_ = self._weights(self._likes(seen), above, near)

    def _likes(self, of: Histories) -> sparse.csr_matrix:
        likes = of.likes(self.min_rating)
        if not self.rating_weight or not self.rating_stddev_:
            return likes
        above = of.matrix.ratings.copy()
        above.data = (above.data - self.rating_mean_) / self.rating_stddev_
        return likes + self.rating_weight * likes.multiply(above).tocsr()

    def _above(self, seen: Histories) -> sparse.csr_matrix:
        """Return by how many stars a like's rating lies above its user's mean rating."""
        above = seen.matrix.ratings.copy()
        n_rated = np.diff(above.indptr)
        mean = np.asarray(above.sum(axis=1)).ravel() / np.maximum(n_rated, 1)
        above.data = above.data - np.repeat(mean, n_rated).astype(np.float32)
        return seen.likes(self.min_rating).multiply(above).tocsr()

    def _near(self, seen: Histories) -> sparse.csr_matrix:
        """Return what nearness adds to the Gram matrix, symmetric: (n_items, n_items)."""
        likes, matrix = seen.likes_in_time(self.min_rating), seen.matrix
        user, item = matrix.users_of(likes[USER]), matrix.items_of(likes[ITEM])
        pairs = pairs_within(user, item, matrix.n_items, NEAR, 1.0)
        own = sparse.diags_array(2.0 * np.bincount(item, minlength=matrix.n_items))
        return self.near_weight * (pairs + pairs.T + own)

    def _weights(
        self,
        likes: sparse.csr_matrix,
        above: sparse.csr_matrix | None = None,
        near: sparse.csr_matrix | None = None,
    ) -> np.ndarray:
        n_items = likes.shape[1]
        if not self.regularization > 0:
            raise RecsysError(f"regularization must be positive, not {self.regularization}.")
        if not 0 <= self.dropout < 1:
            raise RecsysError(f"dropout must lie in [0, 1), not {self.dropout}.")
        check_catalogue(n_items)
        n_likes = np.maximum(np.diff(likes.indptr), 1)
        share = sparse.diags_array((n_likes / n_likes.mean()) ** (-self.user_damping / 2))
        rows = (share @ likes).tocsr()  # (n_users, n_items)
        if above is not None:
            again = self.agreement_weight**0.5 * (share @ above)
            rows = sparse.vstack([rows, again]).tocsr()  # (2 n_users, n_items)
        count = np.asarray(rows.multiply(rows).sum(axis=0)).ravel()
        ridge = self.regularization + self.dropout / (1 - self.dropout) * count.astype(np.float64)
        if near is None and users_are_few(rows.shape[0], n_items):
            return weights_from_inverse(inverse_of_few_users(rows, ridge))
        gram = (rows.T @ rows).toarray().astype(np.float64)
        if near is not None:
            near = near.tocoo()
            gram[near.row, near.col] += near.data
        at = np.arange(n_items)
        gram[at, at] += ridge
        return weights_from_gram(gram)


def users_are_few(n_users: int, n_items: int) -> bool:
    """Tell whether it is quicker to invert a matrix of all pairs of users than of items."""
    return 2 * n_users < n_items


def is_too_large(n_items: int) -> bool:
    """Tell whether a catalogue has too many items for a dense matrix of all their pairs."""
    return n_items > LARGEST_CATALOGUE


def check_catalogue(n_items: int) -> None:
    """Raise :class:`RecsysError` where a dense matrix of all pairs of items would be too large."""
    if is_too_large(n_items):
        raise RecsysError(
            f"Ease inverts a dense matrix of all items: {n_items:,} of them are too "
            f"many (at most {LARGEST_CATALOGUE:,}). Use ItemKNN instead."
        )


def weights_from_gram(gram: np.ndarray) -> np.ndarray:
    """Return EASE's item weights in closed form: float32, (n_items, n_items), diagonal 0.

    Parameters
    ----------
    gram : float64 array, shape (n_items, n_items)
        Symmetric, with the regularisation on the diagonal.
    """
    return weights_from_inverse(np.linalg.inv(gram))


def weights_from_inverse(inverse: np.ndarray) -> np.ndarray:
    """Return EASE's item weights, ``-P_ij / P_jj`` off the diagonal, given the inverse ``P``."""
    weights = (inverse / -np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


def inverse_of_few_users(likes: sparse.csr_matrix, ridge: np.ndarray) -> np.ndarray:
    """Return the inverse of ``X^T X + diag(ridge)`` by way of the smaller matrix ``X X^T``.

    The identity of Woodbury (1950): with ``D`` the diagonal, the inverse is ``D^-1 - D^-1 X^T
    (I + X D^-1 X^T)^-1 X D^-1``. It costs ``n_users * n_items^2`` steps, not ``n_items^3``.

    Parameters
    ----------
    likes : scipy CSR matrix, shape (n_users, n_items)
        Few users, many items.
    ridge : float64 array, shape (n_items,)
        Positive.
    """
    dense = likes.toarray().astype(np.float64)
    narrow = dense / ridge  # (n_users, n_items)
    inverse = narrow.T @ np.linalg.solve(np.eye(len(dense)) + narrow @ dense.T, -narrow)
    inverse[np.diag_indices(len(ridge))] += 1 / ridge
    return inverse
