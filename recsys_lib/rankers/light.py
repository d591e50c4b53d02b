"""Vectors from a deep model, and a light model over them that learns while it serves (S18)."""

import threading
from pathlib import Path
from typing import Self

import numpy as np

from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import DataError
from recsys_lib.rankers.base import Candidates, Ranker, UnknownUser
from recsys_lib.rankers.online_models import OnlineModel

USERS, ITEMS, LEARNED = "users", "items", "learned.npz"


class LightRanker(Ranker):
    """Scores a user's and an item's stored vectors with a light model.

    A row of the model is ``[1, cosine, u_1 v_1, ..., u_dim v_dim, u, v]``: the products let it
    learn which directions of the vectors matter to a match, the vectors themselves how generous the
    user and how well liked the item is. A candidate without a vector has zeros.

    Parameters
    ----------
    model : OnlineModel
    users, items : EmbeddingTable
        Of one dimension. The users' ids stand in the table's ``item_ids``.
    """

    def __init__(self, model: OnlineModel, users: EmbeddingTable, items: EmbeddingTable):
        if users.embedding_dim != items.embedding_dim:
            raise DataError(
                f"The users' vectors have {users.embedding_dim} numbers, the items' "
                f"{items.embedding_dim}; they must come from one model."
            )
        self.model = model
        self.users = users
        self.items = items
        self._learning = threading.Lock()

    def score(self, candidates: Candidates) -> np.ndarray:
        """Return the probability that the user likes each candidate: float64, (n,).

        Raises
        ------
        UnknownUser
            There is no vector of the user.
        """
        return self.model.predict(self.rows(candidates.user_id, candidates.item_ids))

    def rows(self, user_id: int, item_ids: np.ndarray) -> np.ndarray:
        """Return the rows that the model reads: float64, (n, 2 + 3 embedding_dim)."""
        place = self.users.index_of([user_id])[0]
        if place < 0:
            raise UnknownUser("There is no vector of", user_id)
        found = self.items.index_of(item_ids)
        vectors = np.zeros((len(found), self.items.embedding_dim))
        vectors[found >= 0] = self.items.vectors[found[found >= 0]]
        return pair_rows(self.users.vectors[place], vectors)

    def learn(self, user_id: int, item_ids: np.ndarray, liked: np.ndarray) -> None:
        """Learn from events of a user, in their order; the next request sees it.

        Raises
        ------
        UnknownUser
            There is no vector of the user, so there is nothing to learn from.
        """
        with self._learning:
            self.model.partial_fit(self.rows(user_id, item_ids), liked)

    def _save(self, folder: Path) -> dict:
        self.users.save(folder / USERS)
        self.items.save(folder / ITEMS)
        np.savez(folder / LEARNED, **self.model.arrays())
        return {"model": type(self.model).__name__, "settings": self.model.settings()}

    @classmethod
    def _load(cls, folder, described, users) -> Self:
        model = OnlineModel.classes[described["model"]](**described["settings"])
        with np.load(folder / LEARNED, allow_pickle=False) as learned:
            for name, values in learned.items():
                setattr(model, name, values)
        return cls(model, EmbeddingTable.load(folder / USERS), EmbeddingTable.load(folder / ITEMS))


def pair_rows(user: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Return rows for pairs of vectors: float64, (n, 2 + 3 dim).

    Parameters
    ----------
    user : float array, shape (dim,) or (n, dim)
    items : float array, shape (n, dim)
    """
    products = np.asarray(items, np.float64) * user
    lengths = np.linalg.norm(user, axis=-1) * np.linalg.norm(items, axis=-1)
    total = products.sum(axis=1)
    cosine = np.divide(total, lengths, out=np.zeros_like(total), where=lengths > 0)
    users = np.broadcast_to(user, items.shape)
    return np.column_stack([np.ones(len(items)), cosine, products, users, items])
