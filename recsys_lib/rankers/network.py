"""Scoring with a trained network in numpy: the serving process needs no TensorFlow."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError
from recsys_lib.features.registry import FEATURES
from recsys_lib.rankers.base import Candidates, Ranker, UserFeatures
from recsys_lib.rankers.features import features_of, load_features, save_features
from recsys_lib.ranking import Encoded, RankingModel
from recsys_lib.schema import ITEM, USER
from recsys_lib.stores import ItemFeatureTable


def score_samples(model: RankingModel, samples: pd.DataFrame) -> np.ndarray:
    """Return the probability of a like for each sample: float32, (n,), without TensorFlow."""
    return score_encoded(model, model.encode(samples))


def score_encoded(model: RankingModel, samples: Encoded) -> np.ndarray:
    """Return the probability of a like for encoded samples: float32, (n,)."""
    if model.kind != "embedding_mlp" or model.config.bags or model.config.history:
        raise DataError(
            "The numpy scorer knows embedding_mlp without bags and history, "
            f"not {model.kind!r} with {[*model.config.bags, *model.config.history]}. "
            "ModelRanker scores with any model."
        )
    weights = model.weights
    # (n, columns, dim)
    vectors = weights["embeddings/table"][samples.categories + model.inputs.offsets]
    vectors[samples.categories == 0] = 0
    mixed = np.hstack(
        [vectors.reshape(len(vectors), vectors.shape[1] * vectors.shape[2]), samples.numbers]
    )
    for depth in range(1, len(model.config.hidden) + 1):
        mixed = mixed @ weights[f"hidden_{depth}/kernel"] + weights[f"hidden_{depth}/bias"]
        mixed = np.maximum(mixed, 0)
    logit = (mixed @ weights["like/kernel"] + weights["like/bias"])[:, 0]
    # The logistic function, written so that no exponential overflows.
    return (0.5 * (1 + np.tanh(0.5 * logit))).astype(np.float32)


class NetworkRanker(Ranker):
    """Scores with the network of :mod:`recsys_lib.ranking` in numpy.

    The features of all items are encoded once; a request encodes one user.

    Parameters
    ----------
    model : RankingModel
        Of the kind ``embedding_mlp``, without bags and history.
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
        inputs, rows = self.model.inputs, self.items.rows_of(item_ids)
        encoded = []
        for columns, of_item, encode, dtype in (
            (inputs.categories, self._items.categories, inputs.encode_categories, np.int32),
            (inputs.numbers, self._items.numbers, inputs.encode_numbers, np.float32),
        ):
            from_item = np.array([is_of_item(column) for column in columns], dtype=bool)
            of_user = [c for c in columns if not is_of_item(c)]
            values = np.empty((len(rows), len(columns)), dtype)
            values[:, from_item] = of_item[rows]
            one = pd.DataFrame({column: [user.get(column)] for column in of_user})
            values[:, ~from_item] = encode(one, of_user)
            encoded.append(values)
        return score_encoded(self.model, Encoded(*encoded))

    @cached_property
    def _items(self) -> Encoded:
        """The columns of all items, encoded."""
        inputs = self.model.inputs
        return Encoded(
            inputs.encode_categories(
                self.items.frame, [c for c in inputs.categories if is_of_item(c)]
            ),
            inputs.encode_numbers(self.items.frame, [c for c in inputs.numbers if is_of_item(c)]),
        )

    def _save(self, folder: Path) -> dict:
        self.model.save(folder / "model")
        return save_features(folder, self.items, self.users)

    @classmethod
    def _load(cls, folder, described, users) -> Self:
        model = RankingModel.load(folder / "model")
        return cls(model, *load_features(folder, described, users))


def is_of_item(column: str) -> bool:
    """Tell whether a column is read from the item's features rather than the user's."""
    return column == ITEM or (column != USER and FEATURES[column].subject == "item")
