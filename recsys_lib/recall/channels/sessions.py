"""Session channels: items that people like shortly after, or before, one another.

Who sits down to rate films, or to shop, does so in sittings in which one thing leads to the next.
Likes that lie close together in a user's sequence therefore say more of each other than two likes
at the ends of a long history. All three channels count pairs of likes by how far apart they lie.
"""

from abc import abstractmethod

import numpy as np
from scipy import sparse

from recsys_lib.data.likes import like_counts
from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.ease import check_catalogue, weights_from_gram
from recsys_lib.recall.channels.item_model import ProfileModel
from recsys_lib.recall.channels.pairs import pairs_within
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, USER


class SessionModel(ProfileModel):
    """A profile model whose weights come from pairs of likes that lie near each other in time.

    Parameters
    ----------
    window : int
        Places of a user's sequence of likes that a pair may lie apart.
    distance_power : float
        A pair ``d`` places apart counts ``d ** -distance_power``; at 0 all count the same.
    min_rating : float, optional
        Stars from which an interaction is a like to learn from; None takes every interaction.
    half_life_likes : float, optional
        In a user's profile an entry weighs half after so many later ones of that user.
    """

    def __init__(
        self,
        *,
        window: int,
        distance_power: float,
        min_rating: float | None = LIKE_THRESHOLD,
        half_life_likes: float | None,
    ):
        super().__init__(min_rating=min_rating, half_life_likes=half_life_likes)
        self.window = window
        self.distance_power = distance_power

    def _fit(self, seen: Histories) -> None:
        self._check_half_life()
        if self.window < 1 or self.distance_power < 0:
            raise RecsysError(
                "window must be at least 1 and distance_power not negative, "
                f"not {self.window} and {self.distance_power}."
            )
        likes, matrix = seen.likes_in_time(self.min_rating), seen.matrix
        user, item = matrix.users_of(likes[USER]), matrix.items_of(likes[ITEM])
        pairs = pairs_within(user, item, matrix.n_items, self.window, self.distance_power)
        self.weights_ = self._from_pairs(pairs, seen.likes(self.min_rating))

    @abstractmethod
    def _from_pairs(
        self, pairs: sparse.csr_matrix, likes: sparse.csr_matrix
    ) -> np.ndarray | sparse.csr_matrix:
        """Return the item weights, (n_items, n_items).

        Parameters
        ----------
        pairs : scipy CSR matrix, shape (n_items, n_items)
            As :func:`pairs_within` returns.
        likes : scipy CSR matrix of ones, shape (n_users, n_items)
        """


class _Counted(SessionModel):
    """Weight = pairs, less what popular items have anyway; the profile reads dislikes as well.

    With ``C`` the pairs, ``r`` the sums of its rows and ``c`` those of its columns, the weight is
    ``C / sqrt((r + 1) (c + 1))``: a cosine, in which one pair alone does not count as certain.
    """

    @property
    def _profile_rating(self) -> None:
        # What somebody watched an hour ago says where the sitting stands, liked or not.
        return None

    def _from_pairs(self, pairs, likes) -> sparse.csr_matrix:
        row, column = (np.asarray(pairs.sum(axis=axis)).ravel() for axis in (1, 0))
        scaled = sparse.diags_array(1 / np.sqrt(row + 1)) @ pairs
        return (scaled @ sparse.diags_array(1 / np.sqrt(column + 1))).tocsr().astype(np.float32)


class CoOccurrence(_Counted):
    """Items liked near each other in a sequence, before or after: co-visitation (共现).

    The count of item2vec's training, without the vectors: a weighted count of pairs within a
    window (Davidson et al.: The YouTube video recommendation system, 2010, counts co-watched
    videos of a session and divides by their popularity in the same way).

    Parameters
    ----------
    window, distance_power, min_rating, half_life_likes
        See :class:`SessionModel`. The profile reads every interaction of a user, whatever its
        rating.
    """

    name = "co_occurrence"

    def __init__(
        self,
        *,
        window: int = 100,
        distance_power: float = 0.5,
        min_rating: float | None = LIKE_THRESHOLD,
        half_life_likes: float | None = 3.0,
    ):
        super().__init__(
            window=window,
            distance_power=distance_power,
            min_rating=min_rating,
            half_life_likes=half_life_likes,
        )

    def _from_pairs(self, pairs, likes) -> sparse.csr_matrix:
        return super()._from_pairs(pairs + pairs.T.tocsr(), likes)


class Transitions(_Counted):
    """Items that follow the user's last ones: a Markov chain over sequences (转移概率).

    Only what came later counts, and what follows at once counts most (the item-to-item half of
    Rendle et al.: Factorizing personalized Markov chains, 2010, without the factors).

    Parameters
    ----------
    window, distance_power, min_rating, half_life_likes
        See :class:`SessionModel`. By default every interaction counts, whatever its rating, both
        for learning and in the profile.
    """

    name = "transitions"

    def __init__(
        self,
        *,
        window: int = 10,
        distance_power: float = 1.0,
        min_rating: float | None = None,
        half_life_likes: float | None = 2.0,
    ):
        super().__init__(
            window=window,
            distance_power=distance_power,
            min_rating=min_rating,
            half_life_likes=half_life_likes,
        )


class SessionEase(SessionModel):
    """EASE (Steck, 2019) on likes that lie near each other, read with a short memory.

    EASE needs of the data only how often two items are liked by one user, the Gram matrix. Here a
    pair counts by its distance in the user's sequence, so that the weights say which item belongs
    into one sitting with which. The diagonal, an item's count of itself, is ``self_weight`` times
    its likes.

    Parameters
    ----------
    regularization : float
        In likes: what is added to each item's count on the diagonal.
    self_weight : float
        Positive. The larger, the more cautious the weights of items with many likes.
    window, distance_power, min_rating, half_life_likes
        See :class:`SessionModel`.
    """

    name = "session_ease"

    def __init__(
        self,
        *,
        regularization: float = 100.0,
        self_weight: float = 3.0,
        window: int = 100,
        distance_power: float = 0.5,
        min_rating: float | None = LIKE_THRESHOLD,
        half_life_likes: float | None = 5.0,
    ):
        super().__init__(
            window=window,
            distance_power=distance_power,
            min_rating=min_rating,
            half_life_likes=half_life_likes,
        )
        self.regularization = regularization
        self.self_weight = self_weight

    def _from_pairs(self, pairs, likes) -> np.ndarray:
        if not self.regularization > 0 or not self.self_weight > 0:
            raise RecsysError(
                "regularization and self_weight must be positive, "
                f"not {self.regularization} and {self.self_weight}."
            )
        check_catalogue(likes.shape[1])
        gram = (pairs + pairs.T).toarray().astype(np.float64)
        at = np.arange(len(gram))
        gram[at, at] += self.self_weight * like_counts(likes) + self.regularization
        return weights_from_gram(gram)
