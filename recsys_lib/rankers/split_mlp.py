"""Embedding+MLP for one user and many items: what depends on the item alone is computed once.

The first layer is linear before its relu, and each of its inputs is the item's or the user's:

    x W + b = x_item W_item + (x_user W_user + b)

The first product is made for all items when they are loaded, the second once a request. What is
left of the layer is an addition.
"""

import numpy as np

from recsys_lib.rankers.forward import Pass, sigmoid
from recsys_lib.ranking import Encoded, RankingModel


class SplitMlp:
    """A trained Embedding+MLP with all items.

    Parameters
    ----------
    model : RankingModel
        Of the kind ``embedding_mlp``.
    items : Encoded
        All items, n rows.
    codes_of_item : bool array, shape (n_codes,)
    numbers_of_item : bool array, shape (n_numbers,)
        Which columns are the item's.
    """

    def __init__(
        self,
        model: RankingModel,
        items: Encoded,
        codes_of_item: np.ndarray,
        numbers_of_item: np.ndarray,
    ):
        self.model = model
        dim = model.weights["embeddings/table"].shape[1]
        fields = [codes_of_item[field.codes.start] for field in model.inputs.fields]
        # Which numbers of the concatenated input are the item's.
        self._of_item = np.concatenate([np.repeat(fields, dim), numbers_of_item]).astype(bool)
        self._first = "hidden_1" if model.config.hidden else "like"
        kernel = model.weights[f"{self._first}/kernel"][self._of_item]
        self._items = Pass(model, items).concatenated()[:, self._of_item] @ kernel

    def probabilities(self, user: Encoded, rows: np.ndarray) -> np.ndarray:
        """Return the probability that a user likes each item: float32, (n,).

        Parameters
        ----------
        user : Encoded
            One row.
        rows : int array, shape (n,)
            Of the items.
        """
        weights, on = self.model.weights, Pass(self.model, user)
        kernel = weights[f"{self._first}/kernel"][~self._of_item]
        share = on.concatenated()[:, ~self._of_item] @ kernel + weights[f"{self._first}/bias"]
        x = self._items[rows] + share
        for depth in range(2, len(self.model.config.hidden) + 1):
            x = on.dense(np.maximum(x, 0), f"hidden_{depth}")
        if self.model.config.hidden:
            x = on.dense(np.maximum(x, 0), "like")
        return sigmoid(x[:, 0]).astype(np.float32, copy=False)
