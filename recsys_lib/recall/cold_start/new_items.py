"""Places for films that came after the training: content vectors and an exploration quota (S23)."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.ids import Ids
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.embeddings import side_of_items
from recsys_lib.errors import RecsysError
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.channels.als import ImplicitALS
from recsys_lib.recall.cold_start.content import ContentEncoder, ContentModel, ContentRidge
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import Lists, top_k
from recsys_lib.recall.vocabulary import GrownVocabulary, Vocabulary
from recsys_lib.schema import ITEM, ITEMS, USER

FIELDS = ("genre", "decade")


class WithNewItems(Recaller):
    """A recaller whose lists keep places for items that nobody has rated yet.

    Every ``one_in``-th place of a list goes to a new item, an exploration quota: without ratings
    an item is never shown, and what is never shown gets no ratings. Which new item it is depends
    on the user. A factor model is fitted beside the recaller, a map from content to its vectors
    is learned, and a new item is scored by the user's vector times the vector that its content
    suggests. Users of whom the factor model knows nothing get no new items.

    Parameters
    ----------
    recaller : Recaller
        What fills all other places.
    items : DataFrame
        The item table: ``item_id`` and any of ``genres``, ``release_year``, ``title`` and
        ``entity_id``.
    one_in : int
        At least 2.
    triples : DataFrame, optional
        A knowledge graph, for ``fields`` that come from it.
    fields : sequence of str
        The content that is read, see :func:`recsys_lib.embeddings.side_information`.
    regularization : float
        Of the map, see :class:`ContentRidge`.
    factors : ImplicitALS, optional
        The factor model; by default one with the library's settings.

    Attributes
    ----------
    new_ids_ : int64 array, sorted
        The new items, by the whole numbers inside.
    new_vectors_ : float32 array, shape (n_new, embedding_dim)
    factors_ : ImplicitALS
    """

    name = "with_new_items"

    def __init__(
        self,
        recaller: Recaller,
        items: pd.DataFrame,
        *,
        one_in: int = 10,
        triples: pd.DataFrame | None = None,
        fields: tuple[str, ...] = FIELDS,
        regularization: float = 3.0,
        factors: ImplicitALS | None = None,
    ):
        self.recaller = recaller
        self.items = items
        self.one_in = one_in
        self.triples = triples
        self.fields = fields
        self.regularization = regularization
        self.factors = factors

    @property
    def scores_histories(self) -> bool:
        """Whether the recaller scores histories."""
        return self.recaller.scores_histories

    @property
    def has_similar_items(self) -> bool:
        """Whether the recaller compares items."""
        return self.recaller.has_similar_items

    def learn(self, seen: Histories, vocabulary: Vocabulary) -> None:
        if self.one_in < 2:
            raise RecsysError(f"one_in must be at least 2, not {self.one_in}.")
        self.recaller.learn(seen, vocabulary)
        self.factors_ = ImplicitALS() if self.factors is None else self.factors
        self.factors_.learn(seen, vocabulary)
        self.vocabulary_ = vocabulary
        self._grow(np.empty(0, np.int64), np.empty((0, self.factors_.embedding_dim), np.float32))

    def add_items(self, items: pd.DataFrame) -> None:
        """Take in items that came after :meth:`fit`; they are recommended from now on.

        Parameters
        ----------
        items : DataFrame
            Like the item table. Items that :meth:`fit` has seen are refused.

        Raises
        ------
        RecsysError
            Before :meth:`fit`, or where an item is not new.
        """
        self._check_request()
        codes = self.vocabulary_.item_codes(items[ITEM])
        known = np.isin(codes, self.recaller.matrix_.item_ids)
        if known.any():
            raise RecsysError(
                f"Item {items[ITEM].tolist()[int(np.argmax(known))]!r} is not new: it has "
                "interactions that were learned from. Leave it out, or fit again."
            )
        late, row = np.unique(codes, return_index=True)
        vectors = self._guesses(items.iloc[row], late)
        kept = ~np.isin(self.new_ids_, late)  # an item that comes again is replaced
        self._remember(items)
        ids = np.concatenate([self.new_ids_[kept], late])
        order = np.argsort(ids)
        self._grow(ids[order], np.vstack([self.new_vectors_[kept], vectors])[order])

    def lists(self, users, k=10, histories=None, exclude=None) -> Lists:
        self._check_request(k, histories)
        users = np.asarray(users, np.int64)
        inside = histories
        if histories is not None:
            histories = Histories.of(histories, self.matrix_.item_ids, users=users)
            inside = Histories.of(histories, self.recaller.matrix_.item_ids)
        found = self.recaller.lists(users, k, inside, exclude)
        if not len(self.new_ids_) or k < self.one_in:
            return found
        fresh = self._new_lists(users, k // self.one_in, inside, histories, exclude)
        return _with_quota(found, fresh, self.one_in, self.name)

    def similar_lists(self, items, k=10) -> Lists:
        """Return what the recaller says; it knows nothing of new items."""
        self._check_request(k)
        return self.recaller.similar_lists(items, k)

    def share(self, matrix: InteractionMatrix) -> None:
        self.recaller.share(matrix)
        self.factors_.share(matrix)
        self._grow(self.new_ids_, self.new_vectors_)

    @property
    def parameters(self) -> dict[str, Any]:
        names = [ITEM, *(n for n in ITEMS.names if n in self.items and n != ITEM)]
        return super().parameters | {"items": self.items[names]}

    def _guesses(self, fresh: pd.DataFrame, codes: np.ndarray) -> np.ndarray:
        """Return the vectors that the content of new items suggests: float32, (n, dim)."""
        known = self.factors_.matrix_.item_ids
        content = self._content(self.items, self.vocabulary_.item_codes(self.items[ITEM]))
        content = content[np.isin(content[ITEM], known)]
        encoder = ContentEncoder.of(content)
        taught = np.unique(content[ITEM])
        vectors = self.factors_.item_vectors_[self.factors_.matrix_.items_of(taught)]
        model: ContentModel = ContentRidge(regularization=self.regularization)
        model.fit(encoder.encode(content, taught), vectors)
        return model.predict(encoder.encode(self._content(fresh, codes), codes)).astype(np.float32)

    def _content(self, items: pd.DataFrame, codes: np.ndarray) -> pd.DataFrame:
        """Return the content of items as a long table, with the whole numbers inside."""
        table = pd.DataFrame({name: items.get(name) for name in ITEMS.names}, index=items.index)
        table[ITEM] = codes
        table["release_year"] = pd.to_numeric(table["release_year"]).astype("Int16")
        return side_of_items(table, self.triples, self.fields, min_items=1)

    def _remember(self, items: pd.DataFrame) -> None:
        """Extend the vocabulary by the ids of new items, where ids are not their own numbers."""
        words = self.vocabulary_
        if words.items is None:
            return
        raw = Ids.of(items[ITEM])
        later = raw if getattr(words, "later", None) is None else words.later.union(raw)
        self.vocabulary_ = GrownVocabulary(
            words.users, words.items, later, Vocabulary.item_codes(words, later.values)
        )

    def _grow(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Set the new items, and the matrix of the catalogue that they belong to."""
        self.new_ids_, self.new_vectors_ = ids, vectors
        old = self.recaller.matrix_
        catalogue = np.union1d(old.item_ids, ids)
        column = np.searchsorted(catalogue, old.item_ids)
        wide = old.ratings
        ratings = sparse.csr_matrix(
            (wide.data, column[wide.indices].astype(wide.indices.dtype), wide.indptr),
            shape=(old.n_users, len(catalogue)),
        )
        self.matrix_ = InteractionMatrix(old.user_ids, catalogue, ratings) if len(ids) else old

    def _new_lists(self, users, n: int, inside, histories, exclude) -> Lists:
        """Return the ``n`` best new items of each user."""
        factors = self.factors_
        row = factors.matrix_.users_of(users)
        vectors = np.where((row >= 0)[:, None], factors.users_[np.maximum(row, 0)], 0)
        score = np.full((len(users), len(self.new_ids_)), -np.inf, np.float32)
        had = []
        if histories is not None:
            given = inside.matrix.users_of(users)
            folded = factors._represent(inside)
            vectors[given >= 0] = folded[given[given >= 0]]
            had.append(histories.events)
        known = vectors.any(axis=1)
        score[known] = vectors[known] @ self.new_vectors_.T
        for pairs in (*had, *([] if exclude is None else [exclude])):
            self._bar(score, users, pairs)
        return Lists.of(*top_k(score, self.new_ids_, n), users, self.name)

    def _bar(self, score: np.ndarray, users: np.ndarray, pairs: pd.DataFrame) -> None:
        """Take pairs of users and items out of scores, (n_users, n_new)."""
        column = pd.Index(self.new_ids_).get_indexer(pairs[ITEM])
        for user, place in zip(pairs[USER], column, strict=True):
            if place >= 0:
                score[users == user, place] = -np.inf


def _with_quota(found: Lists, fresh: Lists, one_in: int, name: str) -> Lists:
    """Put the n-th fresh item of each list at place ``n * one_in``; what stood there moves on.

    A fresh item takes the score of the item before it: its place is given, not won.
    """
    k = found.item_ids.shape[1]
    joined = Lists.empty(found.user_ids, k, (*found.channel_names, name))
    for row in range(len(found)):
        listed = found.listed[row]
        columns = [found.item_ids, found.scores, found.channel_index]
        ids, scores, channels = (list(column[row, listed]) for column in columns)
        for number, item in enumerate(fresh.item_ids[row, fresh.listed[row]], start=1):
            place = number * one_in - 1
            if place > len(ids):
                break
            ids.insert(place, item)
            scores.insert(place, scores[place - 1])
            channels.insert(place, len(found.channel_names))
        n = min(k, len(ids))
        joined.item_ids[row, :n] = ids[:n]
        joined.scores[row, :n] = scores[:n]
        joined.channel_index[row, :n] = channels[:n]
    return joined
