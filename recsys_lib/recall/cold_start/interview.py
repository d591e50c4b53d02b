"""A short interview: which films to ask a newcomer about, and what to show after the answers.

The baseline asks everybody the same films, popular ones about which opinions differ (Rashid et
al.: Getting to know you, 2002). A decision tree asks the next film depending on the answers so far
(Golbandi, Koren and Lempel: Adaptive bootstrapping of recommender systems using decision trees,
2011; Zhou, Yang and Zha: Functional matrix factorizations for cold-start recommendation, 2011).
"""

import copy
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.base import Channel
from recsys_lib.recall.cold_start.attributes import shrunk
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import LIKE_THRESHOLD

LIKE, DISLIKE, UNKNOWN = range(3)  # the answers, and the children of a node
LEAF = -1


def popularity_times_entropy(ratings: sparse.csr_matrix) -> np.ndarray:
    """Return how much an answer about each item is worth: float64, (n_items,).

    ``log(1 + n) * H``: ``n`` ratings have the item, and ``H`` is the entropy in bits of their
    distribution over the values that ratings take. Without the logarithm popularity alone would
    decide, without popularity nobody would know the films (Rashid et al., 2002).

    Parameters
    ----------
    ratings : scipy CSR matrix, shape (n_users, n_items)
    """
    n_items = ratings.shape[1]
    n = np.bincount(ratings.indices, minlength=n_items)
    entropy = np.zeros(n_items)
    for stars in np.unique(ratings.data):
        share = np.bincount(ratings.indices[ratings.data == stars], minlength=n_items)
        share = share / np.maximum(n, 1)
        entropy -= share * np.log2(np.where(share > 0, share, 1))
    return np.log1p(n) * entropy


class Interview(Channel):
    """Asks about films one by one; after each answer, what people who answered so like.

    Each node of a tree holds the users who gave the answers on the way to it, and asks about one
    film. Its three children hold those who like that film (rated at least ``min_rating``), those
    who rated it lower, and those who do not know it. The list at a node is the share of likers
    among its users, shrunk towards the node above. A user's events are the answers: whatever is
    not among them counts as unknown.

    The question of a node is the film whose children explain most of the squared error of the
    users' likes, ``sum over children of |sum of likes|^2 / users`` (Golbandi et al., 2011, for
    likes). Each user's likes are brought to length 1 first; otherwise the tree finds out who
    watches much, which orders no list.

    Parameters
    ----------
    depth : int
        Questions at most.
    fixed : bool
        Whether everybody is asked the same films, by :func:`popularity_times_entropy`.
    n_candidates : int
        The films with the most ratings, of which questions are chosen.
    min_users : int
        Nodes with fewer users ask no more.
    prior_users : float
        How many users of its own outweigh the node above.
    min_rating : float

    Attributes
    ----------
    questions_ : int64 array, shape (n_nodes,)
        The column of the film that each node asks about; -1 at a leaf. Node 0 is the root.
    children_ : int64 array, shape (n_nodes, 3)
        The nodes after the answers like, dislike, unknown.
    node_scores_ : float32 array, shape (n_nodes, n_items)
    node_sizes_ : int64 array, shape (n_nodes,)
        Users that were learned from.
    """

    name = "interview"

    def __init__(
        self,
        *,
        depth: int = 5,
        fixed: bool = False,
        n_candidates: int = 100,
        min_users: int = 20,
        prior_users: float = 50.0,
        min_rating: float = LIKE_THRESHOLD,
    ):
        self.depth = depth
        self.fixed = fixed
        self.n_candidates = n_candidates
        self.min_users = min_users
        self.prior_users = prior_users
        self.min_rating = min_rating

    def next_question(self, answers: Mapping):
        """Return the item to ask about next, or None when the interview is over.

        Answers about other items than those that were asked do no harm.

        Parameters
        ----------
        answers : mapping
            What was answered so far, by item: True for a like, False for a dislike, None where
            the item is not known.
        """
        self._check_request()
        items = self.vocabulary_.item_codes(list(answers))
        given = dict(zip(self.matrix_.items_of(items).tolist(), answers.values(), strict=True))
        node = 0
        for _ in range(self.depth):
            asked = int(self.questions_[node])
            if asked == LEAF:
                break
            if asked not in given:
                return self.vocabulary_.raw_items(self.matrix_.item_ids[[asked]]).tolist()[0]
            said = given[asked]
            node = self.children_[node, UNKNOWN if said is None else LIKE if said else DISLIKE]
        return None

    def shortened(self, depth: int) -> "Interview":
        """Return the same interview, fitted as it is, with at most ``depth`` questions."""
        short = copy.copy(self)
        short.depth = min(depth, self.depth)
        short.users_ = short._represent(Histories(pd.DataFrame(), self.matrix_))
        return short

    def questions_of(self, histories: sparse.csr_matrix, n: int | None = None) -> np.ndarray:
        """Return what users with these events are asked: int64 columns, (n_users, n), -1 padded.

        Parameters
        ----------
        histories : scipy CSR matrix, shape (n_users, n_items)
            Ratings that are given as answers when asked for.
        n : int, optional
            Questions; by default ``depth``.
        """
        n = self.depth if n is None else n
        asked = np.full((histories.shape[0], n), LEAF, np.int64)
        answers = _answers(histories, self.min_rating)
        node = np.zeros(histories.shape[0], np.int64)
        for place in range(n):
            asked[:, place] = self.questions_[node]
            node = self._step(node, answers)
        return asked

    def _fit(self, seen: Histories) -> None:
        matrix = seen.matrix
        if self.depth < 0 or self.min_users < 1 or self.n_candidates < 1:
            raise RecsysError(
                "depth must not be negative, min_users and n_candidates at least 1, not "
                f"{self.depth}, {self.min_users} and {self.n_candidates}."
            )
        likes = seen.likes(self.min_rating)
        length = np.sqrt(np.maximum(np.diff(likes.indptr), 1))
        unit = (sparse.diags_array(1 / length) @ likes).tocsr()
        answers = _answers(matrix.ratings, self.min_rating)
        worth = popularity_times_entropy(matrix.ratings)
        known = np.bincount(matrix.ratings.indices, minlength=matrix.n_items)
        # Equal counts in order of the ids: a question is asked, not recommended.
        candidates = np.argsort(-known, kind="stable")[: self.n_candidates]
        in_order = np.argsort(-worth, kind="stable")
        everybody = np.asarray(likes.mean(axis=0)).ravel()
        questions, children, scores, sizes = [], [], [], []

        def grow(users: np.ndarray, above: np.ndarray, asked: frozenset[int]) -> int:
            node = len(questions)
            sums = np.asarray(likes[users].sum(axis=0)).ravel()
            score = shrunk(sums, len(users), above, self.prior_users)
            questions.append(LEAF)
            children.append([LEAF] * 3)
            scores.append(score)
            sizes.append(len(users))
            if len(asked) < self.depth and len(users) >= self.min_users:
                free = [c for c in (in_order if self.fixed else candidates) if c not in asked]
                if not free:
                    return node
                of_users = answers[users]
                best = int(free[0] if self.fixed else _best_question(of_users, unit[users], free))
                column = of_users[:, [best]].toarray().ravel()
                questions[node] = best
                children[node] = [
                    grow(users[column == value], score, asked | {best}) for value in (1, -1, 0)
                ]
            return node

        grow(np.arange(matrix.n_users), everybody, frozenset())
        self.questions_ = np.array(questions, np.int64)
        self.children_ = np.array(children, np.int64)
        self.node_scores_ = np.array(scores, np.float32)
        self.node_sizes_ = np.array(sizes, np.int64)

    def _represent(self, given: Histories) -> np.ndarray:
        answers = _answers(given.matrix.ratings, self.min_rating)
        node = np.zeros(given.matrix.n_users, np.int64)
        for _ in range(self.depth):
            node = self._step(node, answers)
        return node

    def _step(self, node: np.ndarray, answers: sparse.csr_matrix) -> np.ndarray:
        """Return the node of each user after the answer to the question of the present one."""
        if not len(node):
            return node
        asked = self.questions_[node]
        said = np.asarray(answers[np.arange(len(node)), np.maximum(asked, 0)]).ravel()
        child = self.children_[node, np.select([said > 0, said < 0], [LIKE, DISLIKE], UNKNOWN)]
        return np.where(asked == LEAF, node, child)

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.node_scores_[users]


def _answers(ratings: sparse.csr_matrix, min_rating: float) -> sparse.csr_matrix:
    """Return 1 for a like and -1 for a rating below it; nothing is stored for unknown."""
    answers = ratings.copy()
    answers.data = np.where(ratings.data >= min_rating, 1, -1).astype(np.float32)
    return answers


def _best_question(answers: sparse.csr_matrix, unit: sparse.csr_matrix, free: list[int]) -> int:
    """Return the film of ``free`` whose answers explain most of the likes' squared error.

    Parameters
    ----------
    answers : scipy CSR matrix, shape (n_users, n_items)
    unit : scipy CSR matrix, shape (n_users, n_items)
        The users' likes in rows of length 1.
    free : list of int
    """
    of_free = answers.tocsc()[:, free]
    total = np.asarray(unit.sum(axis=0)).ravel()
    rest, n_rest, gain = np.tile(total, (len(free), 1)), np.full(len(free), unit.shape[0]), 0
    for value in (1, -1):
        said = of_free.copy()
        said.data = (said.data == value).astype(np.float32)
        sums = (said.T @ unit).toarray()  # (n_free, n_items)
        n = np.asarray(said.sum(axis=0)).ravel()
        gain = gain + np.square(sums).sum(axis=1) / np.maximum(n, 1)
        rest, n_rest = rest - sums, n_rest - n
    gain = gain + np.square(rest).sum(axis=1) / np.maximum(n_rest, 1)
    return free[int(np.argmax(gain))]
