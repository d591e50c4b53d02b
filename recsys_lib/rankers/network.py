"""Scoring with a trained network in numpy: the serving process needs no TensorFlow."""

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from threadpoolctl import ThreadpoolController

from recsys_lib.features.registry import FEATURES
from recsys_lib.rankers.base import Candidates, Ranker, UserFeatures
from recsys_lib.rankers.features import features_of, load_features, save_features
from recsys_lib.rankers.forward import probabilities
from recsys_lib.rankers.split_mlp import SplitMlp
from recsys_lib.ranking import Encoded, RankingModel
from recsys_lib.ranking.config import HISTORY_FIELD
from recsys_lib.schema import ITEM, USER
from recsys_lib.stores import ItemFeatureTable


def score_samples(model: RankingModel, samples: pd.DataFrame) -> np.ndarray:
    """Return the probability of a like for each sample: float32, (n,), without TensorFlow."""
    return probabilities(model, model.encode(samples))


class NetworkRanker(Ranker):
    """Scores with the network of :mod:`recsys_lib.ranking` in numpy.

    The features of all items are encoded once; a request encodes one user. Of Embedding+MLP, the
    items' share of the first layer is computed once, too.

    Parameters
    ----------
    model : RankingModel
        Of any kind of the family.
    items : ItemFeatureTable
    users : UserFeatures
        A feature store, or a :class:`UserFeatureTable`.
    """

    def __init__(self, model: RankingModel, items: ItemFeatureTable, users: UserFeatures):
        self.model = model
        self.items = items
        self.users = users

    def score(self, candidates: Candidates) -> np.ndarray:
        """Return the probability that the user likes each candidate: float32, (n,).

        Raises
        ------
        UnknownUser
            There are no features of the user.
        DataError
            A candidate has no features.
        StoreUnavailable
            The feature store does not answer.
        """
        return self.score_items(features_of(self.users, candidates.user_id), candidates.item_ids)

    def score_items(self, user: Mapping, item_ids: np.ndarray) -> np.ndarray:
        """Return the probability that a user likes each item: float32, (n,).

        Parameters
        ----------
        user : mapping
            ``user_id`` and user features; what is missing counts as unknown.
        item_ids : int64 array, shape (n,)
        """
        rows, of_user = self.items.rows_of(item_ids), self.model.inputs.encode_one(user)
        # One request of many: several threads would wait for each other, and that for long.
        with _thread_pools().limit(limits=1, user_api="blas"):
            if self._split is not None:
                return self._split.probabilities(of_user, rows)
            codes_of_item, numbers_of_item = self._from_item
            return probabilities(
                self.model,
                Encoded(
                    np.where(codes_of_item, self._items.categories[rows], of_user.categories),
                    np.where(numbers_of_item, self._items.numbers[rows], of_user.numbers),
                ),
            )

    def add_items(self, features: pd.DataFrame) -> None:
        self.items = self.items.with_rows(features)
        for computed in ("_split", "_items", "_from_item"):  # of the items before
            vars(self).pop(computed, None)

    @cached_property
    def _split(self) -> SplitMlp | None:
        """The network with its items' half computed, where it can be split so."""
        if self.model.kind != "embedding_mlp":
            return None
        return SplitMlp(self.model, self._items, *self._from_item)

    @cached_property
    def _items(self) -> Encoded:
        """All items encoded; the columns that are the user's count as missing."""
        inputs, frame = self.model.inputs, self.items.frame
        of_user = [column for column in inputs.columns if not self._is_of_item(column)]
        return inputs.encode(frame.assign(**dict.fromkeys(of_user)))

    @cached_property
    def _from_item(self) -> tuple[np.ndarray, np.ndarray]:
        """Which columns of the encoded arrays are the item's: bool, (n_codes,) and (n_numbers,)."""
        inputs = self.model.inputs
        codes = np.zeros(len(inputs.offsets), bool)
        for field in inputs.fields:
            codes[field.codes] = field.name != HISTORY_FIELD and self._is_of_item(field.name)
        return codes, np.array([self._is_of_item(column) for column in inputs.numbers], bool)

    def _is_of_item(self, column: str) -> bool:
        """Tell whether a column is read from the item's features rather than the user's."""
        if column in FEATURES:
            return column == ITEM or (column != USER and FEATURES[column].subject == "item")
        return column in self.items.frame.columns  # a column of the person's own

    def _save(self, folder: Path) -> dict:
        self.model.save(folder / "model")
        return save_features(folder, self.items, self.users)

    @classmethod
    def _load(cls, folder, described, users) -> Self:
        model = RankingModel.load(folder / "model")
        return cls(model, *load_features(folder, described, users))


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()
