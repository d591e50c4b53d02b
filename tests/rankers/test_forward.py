"""The numpy networks are the Keras networks, every one of the family."""

from dataclasses import replace

import numpy as np
import pytest
from family import *  # noqa: F403
from family import untrained

from recsys_lib.rankers.forward import _LOGITS, probabilities
from recsys_lib.ranking import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_equals_keras(kind, rows, asked):
    model = untrained(kind, rows)
    found, expected = probabilities(model, model.inputs.encode(asked)), model.predict(asked)
    assert found.dtype == np.float32
    assert np.ptp(expected) > 0.01
    assert np.abs(found - expected).max() < 1e-6


def test_nobody_is_left_out():
    assert _LOGITS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", ["embedding_mlp", "dien", "fm"])
def test_extreme_weights_give_probabilities_still(kind, rows, asked):
    model = untrained(kind, rows)
    big = replace(model, weights={name: array * 100 for name, array in model.weights.items()})
    with np.errstate(all="raise", under="ignore"):
        found = probabilities(big, big.inputs.encode(asked))
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_no_scores(kind, rows):
    model = untrained(kind, rows)
    assert probabilities(model, model.inputs.encode(rows[:0])).shape == (0,)
