"""Gradient-boosted trees on the same inputs: the outsider that networks have to beat.

Trees take numbers as they are, need no scaling and find pairs of features by themselves. They
have no vectors: a category is a set of values they can split, or, where there are too many (ids),
an order of codes that says little. (Friedman: Greedy Function Approximation, 2001; scikit-learn's
histogram version after LightGBM, Ke et al., 2017.)
"""

import time
from itertools import islice

import numpy as np
import pandas as pd

from recsys_lib.evaluation import auc
from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.inputs import labels_of
from recsys_lib.ranking.leaderboard import Entry
from recsys_lib.seeding import DEFAULT_SEED

MOST_CATEGORIES = 255  # of scikit-learn's histograms; a column with more is taken as a number


def enter_boosted_trees(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    config: RankingConfig | None = None,
    seeds=(DEFAULT_SEED,),
    refit: bool = False,
    learning_rate: float = 0.1,
    max_leaf_nodes: int = 15,
    most_trees: int = 120,
) -> Entry:
    """Train trees on the columns a configuration names; their number is chosen on validation.

    Parameters are those of :func:`recsys_lib.ranking.leaderboard.enter`, and scikit-learn's; the
    places of a bag and of a history go in column by column. With ``refit`` as many trees are
    grown anew on train and validation together.
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
    labels, judged = labels_of(train), validation[LABEL].to_numpy()

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
        staged = [auc(judged, p[:, 1]) for p in model.staged_predict_proba(tables["validation"])]
        trees.append(int(np.argmax(staged)) + 1)
        aucs.append(max(staged))
        if refit:
            rows = np.concatenate([tables["train"], tables["validation"]])
            model = grow(rows, np.concatenate([labels, judged]), trees[-1], seed)
        # The first trees of a forest are those that a smaller one would have.
        stages = model.staged_predict_proba(tables["test"])
        scores.append(next(islice(stages, trees[-1] - 1, None))[:, 1])
    return Entry(
        np.stack(scores), np.array(aucs), 0, float(np.mean(seconds)), float(np.mean(trees))
    )
