"""Predictions by step are those of the library's own training, only seen more often."""

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.keras_backend import seed_everything
from recsys_lib.ranking import labels_of
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.learning_curve import predictions_by_step
from recsys_lib.ranking.models import embedding_mlp
from recsys_lib.ranking.training import predict, train


@pytest.fixture
def fresh(samples, small_config):
    """A function that makes the same untrained network each time, its samples and settings."""
    inputs = inputs_for(small_config, samples)
    chunk = inputs.encode(samples), labels_of(samples)

    def network():
        seed_everything(5)
        return embedding_mlp.network(small_config, inputs)

    return network, chunk, small_config


def test_after_whole_epochs_it_is_where_training_is(fresh):
    network, (encoded, labels), config = fresh
    of_epoch = -(-len(labels) // config.training.batch_size)
    assert len(labels) % config.training.batch_size, "the last step of an epoch is a short one"
    steps = [0, 1, of_epoch, 3 * of_epoch - 1, 3 * of_epoch]
    chunk = encoded, labels
    found = predictions_by_step(network(), chunk, config.training, encoded, steps, seed=1)
    whole = network()
    assert np.array_equal(found[0], predict(whole, encoded))
    train(whole, [chunk], config.training, seed=1)  # three epochs
    assert np.allclose(found[-1], predict(whole, encoded), atol=1e-6)
    assert np.abs(np.diff(found, axis=0)).max(axis=1).min() > 1e-5  # each stop has learned more


@pytest.mark.parametrize("steps", [[3, 1], [2, 2], [-1, 2]])
def test_steps_that_go_back_are_refused(fresh, steps):
    network, chunk, config = fresh
    with pytest.raises(RecsysError, match="increase"):
        predictions_by_step(network(), chunk, config.training, chunk[0], steps)
