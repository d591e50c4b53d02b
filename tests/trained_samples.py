"""What the tests of ranking share."""

import pandas as pd
import pytest
from made_samples import make_samples

from recsys_lib.ranking import RankingConfig, TrainingConfig, train_model


@pytest.fixture(scope="session")
def samples() -> pd.DataFrame:
    return make_samples(600)


@pytest.fixture(scope="session")
def small_config() -> RankingConfig:
    training = TrainingConfig(batch_size=64, epochs=3, patience=0)
    return RankingConfig(embedding_dim=4, hidden=(16, 8), training=training)


@pytest.fixture(scope="session")
def model(samples, small_config):
    return train_model("embedding_mlp", samples, config=small_config, seed=1)
