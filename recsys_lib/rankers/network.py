"""Scoring with a trained network in numpy: the serving process needs no TensorFlow."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError
from recsys_lib.features.registry import FEATURES
from recsys_lib.ranking import Encoded, RankingModel
from recsys_lib.schema import ITEM, USER
from recsys_lib.stores import ItemFeatureTable


def score_samples(model: RankingModel, samples: pd.DataFrame) -> np.ndarray:
    """Return the probability of a like for each sample: float32, (n,), without TensorFlow."""
    return score_encoded(model, model.inputs.encode(samples))


def score_encoded(model: RankingModel, samples: Encoded) -> np.ndarray:
    """Return the probability of a like for encoded samples: float32, (n,)."""
    if model.kind != "embedding_mlp" or model.config.bags or model.config.history:
        raise DataError(
            "The numpy scorer knows embedding_mlp without bags and history, "
            f"not {model.kind!r} with {[*model.config.bags, *model.config.history]}."
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


class Scorer:
    """Scores items for one user at a time.

    The features of all items are encoded once, when they are loaded; a request encodes one user.

    Parameters
    ----------
    model : RankingModel
    items : ItemFeatureTable
    """

    def __init__(self, model: RankingModel, items: ItemFeatureTable):
        self.model = model
        self.items = items
        inputs = model.inputs
        of_item = [_is_of_item(c) for c in inputs.categories]
        of_item_numbers = [_is_of_item(c) for c in inputs.numbers]
        self._categories, self._numbers = np.array(of_item), np.array(of_item_numbers)
        self._item_categories = inputs.encode_categories(
            items.frame, _where(inputs.categories, of_item)
        )
        self._item_numbers = inputs.encode_numbers(
            items.frame, _where(inputs.numbers, of_item_numbers)
        )

    def score(self, user: Mapping, item_ids: np.ndarray) -> np.ndarray:
        """Return the probability that the user likes each item: float32, (n,).

        Parameters
        ----------
        user : mapping
            ``user_id`` and user features; what is missing counts as unknown.
        item_ids : int64 array, shape (n,)

        Raises
        ------
        DataError
            An item has no features.
        """
        inputs, rows = self.model.inputs, self.items.rows_of(item_ids)
        of_user = _where(inputs.categories, ~self._categories)
        numbers_of_user = _where(inputs.numbers, ~self._numbers)
        one = pd.DataFrame({c: [user.get(c)] for c in (*of_user, *numbers_of_user)})
        categories = np.empty((len(rows), len(inputs.categories)), np.int32)
        categories[:, self._categories] = self._item_categories[rows]
        categories[:, ~self._categories] = inputs.encode_categories(one, of_user)
        numbers = np.empty((len(rows), len(inputs.numbers)), np.float32)
        numbers[:, self._numbers] = self._item_numbers[rows]
        numbers[:, ~self._numbers] = inputs.encode_numbers(one, numbers_of_user)
        return score_encoded(self.model, Encoded(categories, numbers))


def _is_of_item(column: str) -> bool:
    """Tell whether a column is read from the item's features rather than the user's."""
    return column == ITEM or (column != USER and FEATURES[column].subject == "item")


def _where(columns, chosen) -> list[str]:
    return [column for column, yes in zip(columns, chosen, strict=True) if yes]
