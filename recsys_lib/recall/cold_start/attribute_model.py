"""A simple model on registration attributes alone: ridge regression in closed form (S23)."""

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.errors import RecsysError
from recsys_lib.recall.cold_start.attributes import COLUMNS, ReadsUsers
from recsys_lib.recall.cold_start.encoding import OneHot
from recsys_lib.schema import LIKE_THRESHOLD


class AttributeRidge(ReadsUsers):
    """Score = share of likers + a sum over the user's attributes, which add up.

    With one-hot attributes ``A`` (n_users x n_values), centred, and likes ``X``, centred, the
    weights are ``W = (A^T A + regularization I)^-1 A^T X`` (Hoerl and Kennard, 1970): linear in
    what is known at registration, one linear model an item, all solved at once.

    Parameters
    ----------
    users, columns, min_rating
        See :class:`ReadsUsers`.
    regularization : float
        In users: what is added to the number of users with each value.

    Attributes
    ----------
    mean_ : float64 array, shape (n_items,)
        What a user without attributes gets.
    centre_ : float64 array, shape (n_values,)
        The share of users with each value.
    weights_ : float64 array, shape (n_values, n_items)
    encoder_ : dict
        The values that are known, see :class:`OneHot`.
    """

    name = "attribute_ridge"

    def __init__(
        self,
        users: pd.DataFrame | None = None,
        *,
        columns: tuple[str, ...] = COLUMNS,
        regularization: float = 100.0,
        min_rating: float | None = LIKE_THRESHOLD,
    ):
        super().__init__(users, columns=columns, min_rating=min_rating)
        self.regularization = regularization

    def _learn(self, values: pd.DataFrame, likes: sparse.csr_matrix) -> None:
        if not self.regularization > 0:
            raise RecsysError(f"regularization must be positive, not {self.regularization}.")
        encoder = OneHot.of(values)
        self.encoder_ = encoder.known
        features = encoder.encode(values)
        self.centre_ = features.mean(axis=0)
        self.mean_ = np.asarray(likes.mean(axis=0)).ravel().astype(np.float64)
        centred = features - self.centre_
        gram = centred.T @ centred + self.regularization * np.eye(encoder.n_values)
        # The columns of `centred` add up to 0, so that the likes need not be centred.
        right = np.asarray((likes.T @ centred).T)  # (n_values, n_items)
        self.weights_ = np.linalg.solve(gram, right) if encoder.n_values else right

    def _of_values(self, values: pd.DataFrame) -> np.ndarray:
        features = OneHot(self.encoder_).encode(values)
        # Attributes that are not given stand at their mean: they move nothing.
        given = np.zeros(features.shape, bool)
        start = 0
        for known in self.encoder_.values():
            some = slice(start, start + len(known))
            given[:, some] = features[:, some].any(axis=1)[:, None]
            start += len(known)
        return np.where(given, features - self.centre_, 0)

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.mean_ + users @ self.weights_  # (m, n_items)
