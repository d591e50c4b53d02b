"""Gradient-boosted trees on the same inputs: the competitor that networks have to beat.

Trees take numbers as they are, need no scaling and find pairs of features by themselves. They
have no vectors. A category is a set of values that they can divide or, where there are too many
values, as with ids, an order of codes that says little. (Friedman: Greedy Function Approximation,
2001; scikit-learn's histogram version after LightGBM, Ke et al., 2017.)
"""

import time
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd

from recsys_lib.evaluation import auc
from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.column_schema import Schema
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.labels import labels_of
from recsys_lib.ranking.predictions import Predictions
from recsys_lib.ranking.tree_model import MOST_CATEGORIES, BoostedTrees, tree_table
from recsys_lib.seeding import DEFAULT_SEED


def train_trees(
    samples: pd.DataFrame,
    validation: pd.DataFrame | None = None,
    config: RankingConfig | None = None,
    seed: int = DEFAULT_SEED,
    schema: Schema | None = None,
    learning_rate: float = 0.1,
    max_leaf_nodes: int = 15,
    most_trees: int = 120,
) -> BoostedTrees:
    """Grow trees on a table of samples, into a model that is saved and loaded.

    With validation samples, as many trees are kept as predict them best; without, all of them.

    Parameters
    ----------
    samples, validation, config, seed, schema
        As for :func:`recsys_lib.ranking.train_model`.
    learning_rate, max_leaf_nodes, most_trees
        As for :func:`train_and_predict_trees`.

    Raises
    ------
    DataError
        A column is missing, or the labels are all the same.
    """
    config = config or RankingConfig()
    if schema is not None:
        config = replace(config, **schema.inputs)
        columns = [*config.columns, LABEL]
        samples = schema.select(samples, columns)
        validation = None if validation is None else schema.select(validation, columns)
    inputs = inputs_for(config, samples)
    table, settings = tree_table(inputs, samples), (learning_rate, max_leaf_nodes)
    grown = _grow(inputs, table, labels_of(samples), most_trees, seed, *settings)
    if validation is not None:
        staged = grown.staged_predict_proba(tree_table(inputs, validation))
        aucs = [auc(labels_of(validation), each[:, 1]) for each in staged]
        # The first trees are those that a smaller model would have.
        del grown._predictors[int(np.argmax(aucs)) + 1 :]
    return BoostedTrees.of(inputs, grown, schema)


def _grow(
    inputs: FeatureInputs,
    rows: np.ndarray,
    labels: np.ndarray,
    n_trees: int,
    seed: int,
    learning_rate: float,
    max_leaf_nodes: int,
):
    """Return a fitted ``HistGradientBoostingClassifier``; rows are as from ``tree_table``."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    sizes = np.concatenate([inputs.sizes, np.full(len(inputs.offsets), MOST_CATEGORIES + 1)])
    return HistGradientBoostingClassifier(
        learning_rate=learning_rate,
        max_leaf_nodes=max_leaf_nodes,
        max_iter=n_trees,
        early_stopping=False,
        categorical_features=np.flatnonzero(sizes[: len(inputs.categories)] <= MOST_CATEGORIES),
        random_state=seed,
    ).fit(rows, labels)


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
    config = config or RankingConfig()
    inputs = inputs_for(config, train)
    parts = {"train": train, "validation": validation, "test": test}
    tables = {name: tree_table(inputs, part) for name, part in parts.items()}
    labels, held_out = labels_of(train), validation[LABEL].to_numpy()
    settings = learning_rate, max_leaf_nodes

    scores, aucs, seconds, trees = [], [], [], []
    for seed in seeds:
        started = time.perf_counter()
        model = _grow(inputs, tables["train"], labels, most_trees, seed, *settings)
        seconds.append(time.perf_counter() - started)
        staged = [auc(held_out, p[:, 1]) for p in model.staged_predict_proba(tables["validation"])]
        trees.append(int(np.argmax(staged)) + 1)
        aucs.append(max(staged))
        if refit:
            rows = np.concatenate([tables["train"], tables["validation"]])
            both = np.concatenate([labels, held_out])
            model = _grow(inputs, rows, both, trees[-1], seed, *settings)
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
