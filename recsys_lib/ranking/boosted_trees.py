"""Gradient-boosted trees on the same inputs: the competitor that networks have to beat.

Trees take numbers as they are, need no scaling and find pairs of features by themselves. They
have no vectors. A category is a set of values that they can divide or, where there are too many
values, as with ids, an order of codes that says little. (Friedman: Greedy Function Approximation,
2001; scikit-learn's histogram version after LightGBM, Ke et al., 2017.)
"""

import time
from itertools import islice

import numpy as np
import pandas as pd

from recsys_lib.evaluation import auc
from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.labels import labels_of
from recsys_lib.ranking.predictions import Predictions
from recsys_lib.seeding import DEFAULT_SEED

MOST_CATEGORIES = 255  # that scikit-learn can divide; a column with more is taken as a number


def train_and_predict_trees(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    config: RankingConfig | None = None,
    seeds=(DEFAULT_SEED,),
    refit: bool = False,
    learning_rate: float = 0.1,
    max_leaf_nodes: int = 15,
    most_trees: int = 120,
) -> Predictions:
    """Grow trees on the columns that a configuration names, once for each seed.

    The number of trees is chosen on the validation part. Each place of a bag and of a history is
    a column of its own.

    Parameters
    ----------
    train, validation, test, config, seeds
        As for :func:`recsys_lib.ranking.train_and_predict`.
    refit : bool
        Whether as many trees are then grown again, on train and validation together.
    learning_rate, max_leaf_nodes, most_trees
        ``learning_rate``, ``max_leaf_nodes`` and ``max_iter`` of scikit-learn.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    config = config or RankingConfig()
    inputs = inputs_for(config, train)

    def table(frame: pd.DataFrame) -> np.ndarray:
        numbers = frame[list(inputs.numbers)].to_numpy(np.float64, na_value=np.nan)
        return np.hstack([inputs.encode(frame).categories, numbers])

    sizes = np.concatenate([inputs.sizes, np.full(len(inputs.offsets), MOST_CATEGORIES + 1)])
    few = np.flatnonzero(sizes[: len(inputs.categories)] <= MOST_CATEGORIES)
    tables = {"train": table(train), "validation": table(validation), "test": table(test)}
    labels, held_out = labels_of(train), validation[LABEL].to_numpy()

    def grow(rows: np.ndarray, labels: np.ndarray, n_trees: int, seed: int):
        return HistGradientBoostingClassifier(
            learning_rate=learning_rate,
            max_leaf_nodes=max_leaf_nodes,
            max_iter=n_trees,
            early_stopping=False,
            categorical_features=few,
            random_state=seed,
        ).fit(rows, labels)

    scores, aucs, seconds, trees = [], [], [], []
    for seed in seeds:
        started = time.perf_counter()
        model = grow(tables["train"], labels, most_trees, seed)
        seconds.append(time.perf_counter() - started)
        staged = [auc(held_out, p[:, 1]) for p in model.staged_predict_proba(tables["validation"])]
        trees.append(int(np.argmax(staged)) + 1)
        aucs.append(max(staged))
        if refit:
            rows = np.concatenate([tables["train"], tables["validation"]])
            model = grow(rows, np.concatenate([labels, held_out]), trees[-1], seed)
        # The first trees are those that a smaller model would have.
        stages = model.staged_predict_proba(tables["test"])
        scores.append(next(islice(stages, trees[-1] - 1, None))[:, 1])
    return Predictions.of(
        test,
        np.stack(scores),
        validation_auc=np.array(aucs),
        seconds=float(np.mean(seconds)),
        epochs=float(np.mean(trees)),
    )
