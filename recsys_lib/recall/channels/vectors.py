"""Recall by vectors: what lies near the items a user liked lately."""

import inspect
from dataclasses import replace

import numpy as np
import pandas as pd

from recsys_lib.data.likes import like_counts
from recsys_lib.data.splits import Split
from recsys_lib.embeddings import build_deepwalk, build_item2vec, build_node2vec
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.embeddings.users import latest_likes, sum_of_liked
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.recall.channels.factor_model import FactorModel
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import IMPLICIT_RATING, ITEM, LIKE_THRESHOLD, RATING, USER
from recsys_lib.seeding import DEFAULT_SEED

# What trains vectors from interactions, by the name under which a channel asks for them.
TRAINERS = {"item2vec": build_item2vec, "deepwalk": build_deepwalk, "node2vec": build_node2vec}


class VectorRecaller(FactorModel):
    """Score = cosine of an item's vector and the mean vector of the user's recent likes.

    All vectors are brought to length 1 first, so that each like counts the same. Disliked items
    stay out of the mean. Items without a vector are not recalled, and a user none of whose recent
    likes has a vector gets a row of padding.

    Parameters
    ----------
    table : EmbeddingTable or str
        Vectors of items, by the whole numbers inside. Or the name of what trains them from the
        likes among the interactions that :meth:`fit` gets, with the library's settings:
        ``item2vec``, ``deepwalk`` or ``node2vec``.
    n_recent : int, optional
        Number of last likes averaged; by default all of them.
    popularity_weight : float
        What is added to the cosine for each unit of ``ln(1 + likes)`` of an item; at 0 only the
        direction of vectors counts. Their training divides popularity out: what it approaches is
        the pointwise mutual information of two items (Levy and Goldberg: Neural word embedding as
        implicit matrix factorization, 2014), to which the logarithm of an item's own chance must
        be added for that of the item given the other.
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.
    epochs : int, optional
        Passes of the training, where there is one; by default as many as the library's settings
        say.
    seed : int
        Of the training.

    Attributes
    ----------
    item_vectors_, users_
        As :class:`FactorModel` has them, in rows of length 1 or zero.
    popularity_ : float32 array, shape (n_items,)
        ``ln(1 + likes)``, where there is a ``popularity_weight``.
    """

    def __init__(
        self,
        table: EmbeddingTable | str,
        *,
        n_recent: int | None = None,
        popularity_weight: float = 0.0,
        min_rating: float | None = LIKE_THRESHOLD,
        epochs: int | None = None,
        seed: int = DEFAULT_SEED,
    ):
        self.table = table
        self.n_recent = n_recent
        self.popularity_weight = popularity_weight
        self.min_rating = min_rating
        self.epochs = epochs
        self.seed = seed

    @property
    def name(self) -> str:
        """What trains the vectors, or ``vectors`` where they are given."""
        return self.table if isinstance(self.table, str) else "vectors"

    def _fit(self, seen: Histories) -> None:
        if self.popularity_weight < 0:
            raise RecsysError(
                f"popularity_weight must not be negative, not {self.popularity_weight}."
            )
        if self.popularity_weight:
            self.popularity_ = np.log1p(like_counts(seen.likes(self.min_rating)))
        matrix = seen.matrix
        table = self.table
        if isinstance(table, str):
            events = seen.events
            if self.min_rating != LIKE_THRESHOLD:
                # The trainers know one threshold: what is a like here gets the rating of one.
                least = -np.inf if self.min_rating is None else self.min_rating
                liked = events[events[RATING] >= least]
                events = liked.assign(**{RATING: IMPLICIT_RATING})
            table = trained_vectors(table, events, self.seed, epochs=self.epochs)
        self.item_vectors_ = np.zeros((matrix.n_items, table.embedding_dim), np.float32)
        has_vector = table.contains(matrix.item_ids)
        unit = table.normalized()
        self.item_vectors_[has_vector] = unit.vectors_of(matrix.item_ids[has_vector])

    def _represent(self, given: Histories) -> np.ndarray:
        likes = latest_likes(given.likes_in_time(self.min_rating), self.n_recent)
        matrix = given.matrix
        user, item = matrix.users_of(likes[USER]), matrix.items_of(likes[ITEM])
        # The sum has the direction of the mean, and a cosine needs no more.
        total = sum_of_liked(user, item, matrix.n_users, self.item_vectors_)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        return total / np.where(length > 0, length, 1)

    def _score(self, users: np.ndarray) -> np.ndarray:
        score = super()._score(users)
        if self.popularity_weight:
            score += self.popularity_weight * self.popularity_
        return score


def trained_vectors(
    name: str, interactions: pd.DataFrame, seed: int, *, epochs: int | None = None
) -> EmbeddingTable:
    """Train the vectors of that name with the library's settings, but for the passes if given.

    Raises
    ------
    RecsysError
        Nothing of that name trains vectors; the message names the nearest that does.
    """
    if name not in TRAINERS:
        raise RecsysError(
            f"Nothing called {name!r} trains vectors.{nearest(name, TRAINERS)} "
            f"Known: {', '.join(TRAINERS)}."
        )
    nothing = interactions.iloc[:0]
    split = Split("all", interactions, nothing, nothing)
    config = inspect.signature(TRAINERS[name]).parameters["config"].default
    if epochs is not None:
        config = replace(config, epochs=epochs)
    return TRAINERS[name]({"all": split}, config=config, seed=seed)["all"]
