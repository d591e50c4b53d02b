"""Every network of the family, small and untrained, and samples with all kinds of columns."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_samples import make_samples

from recsys_lib.ranking import HISTORY, FeatureInputs, RankingModel
from recsys_lib.ranking.models import kind_called


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Samples with a history and a column of lists."""
    samples = make_samples(600)
    bags = samples["item_id"].map(lambda item: ["red", "blue", "green"][: item % 4])
    liked = {column: samples["item_id"].shift(k + 1) for k, column in enumerate(HISTORY)}
    return samples.assign(tags=bags, **liked)


@pytest.fixture(scope="module")
def asked(rows) -> pd.DataFrame:
    """Samples as they come in service: users never seen, values missing."""
    asked = rows[:80].copy()
    asked.loc[asked.index[::5], "user_id"] = 10**12
    asked.loc[asked.index[::4], ["item_genre_1", "release_year", "user_rating_mean"]] = None
    return asked


def untrained(kind: str, rows: pd.DataFrame, history=HISTORY) -> RankingModel:
    """A model with the weights it would start from: parity does not depend on training."""
    from recsys_lib.keras_backend import seed_everything

    seed_everything(7)
    config = replace(
        kind_called(kind).config(), embedding_dim=4, hidden=(8,), bags=("tags",), history=history
    )
    inputs = FeatureInputs.fit(
        rows[:400],
        config.categories,
        config.numbers,
        standardize=True,
        bags=config.bags,
        history=config.history,
        log_numbers=config.log_numbers,
    )
    network = kind_called(kind).network(config, inputs)
    rng = np.random.default_rng(7)
    # Weights that start at 0 would hide a part of the network.
    weights = {
        v.path: np.asarray(v) + rng.normal(0, 0.05, v.shape).astype(np.float32)
        for v in network.trainable_variables
    }
    return RankingModel(kind, config, inputs, weights)
