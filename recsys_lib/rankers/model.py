"""Any model that predicts from a table as a ranker: the Keras family, boosted trees, your own."""

from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pandas as pd

from recsys_lib.errors import RecsysError
from recsys_lib.features.registry import names
from recsys_lib.rankers.base import Candidates, Ranker, UserFeatures
from recsys_lib.rankers.features import features_of, load_features, save_features
from recsys_lib.ranking import BoostedTrees, RankingModel
from recsys_lib.stores import ItemFeatureTable

# Models that a ranker is saved with, by the name of their class.
MODELS = {cls.__name__: cls for cls in (RankingModel, BoostedTrees)}


class Predicts(Protocol):
    """A model over tables."""

    def predict(self, samples: pd.DataFrame) -> np.ndarray:
        """Return a score for each row."""


class ModelRanker(Ranker):
    """Scores with a model's ``predict`` over one row a candidate.

    A row holds the features of the item, those of the user, and what recall said: ``recall_score``,
    ``recall_rank`` (from 1) and ``channel``.

    Parameters
    ----------
    model : object with ``predict(frame)``
    items : ItemFeatureTable
    users : UserFeatures
        A feature store, or a :class:`UserFeatureTable`.
    gives_probabilities : bool
        Whether the model's scores are chances of a like.
    """

    def __init__(
        self,
        model: Predicts,
        items: ItemFeatureTable,
        users: UserFeatures,
        *,
        gives_probabilities: bool = True,
    ):
        self.model = model
        self.items = items
        self.users = users
        self.gives_probabilities = gives_probabilities

    def score(self, candidates: Candidates) -> np.ndarray:
        """Return the model's prediction for each candidate: float, (n,).

        Raises
        ------
        UnknownUser
            There are no features of the user.
        DataError
            A candidate has no features.
        """
        return np.asarray(self.model.predict(self.samples(candidates)))

    def add_items(self, features: pd.DataFrame) -> None:
        self.items = self.items.with_rows(features)

    def samples(self, candidates: Candidates) -> pd.DataFrame:
        """Return the rows that the model reads."""
        user = features_of(self.users, candidates.user_id)
        rows = self.items.frame.iloc[self.items.rows_of(candidates.item_ids)]
        # A feature of the user that is missing is a column all the same.
        known = dict.fromkeys(names("user")) | user
        of_user = pd.DataFrame({n: [value] for n, value in known.items() if n not in rows})
        of_user = of_user.loc[np.zeros(len(rows), int)]
        of_recall = pd.DataFrame(
            {
                "recall_score": candidates.scores,
                "recall_rank": np.arange(1, len(candidates) + 1),
                "channel": candidates.channels,
            }
        )
        parts = [part.reset_index(drop=True) for part in (rows, of_user, of_recall)]
        return pd.concat(parts, axis=1)

    def _save(self, folder: Path) -> dict:
        kind = type(self.model).__name__
        if MODELS.get(kind) is not type(self.model):
            raise RecsysError(
                f"A model of the type {kind} has no form on disk here: save "
                "it yourself, and make the ranker again around it."
            )
        self.model.save(folder / "model")
        described = save_features(folder, self.items, self.users)
        return described | {"model": kind, "gives_probabilities": self.gives_probabilities}

    @classmethod
    def _load(cls, folder, described, users) -> Self:
        model = MODELS[described["model"]].load(folder / "model")
        items, users = load_features(folder, described, users)
        return cls(model, items, users, gives_probabilities=described["gives_probabilities"])
