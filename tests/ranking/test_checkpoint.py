"""A killed training goes on and ends where it would have ended."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys_lib.errors import DataError
from recsys_lib.ranking import RankingConfig, TrainingConfig, train_model

# Dropout and hidden ids draw from the seed generators, whose states must come along too.
CONFIG = RankingConfig(
    embedding_dim=4,
    hidden=(16, 8),
    dropout=0.2,
    training=TrainingConfig(batch_size=64, epochs=4, patience=2),
)
KILLED = f"""
import os, pathlib, signal, sys
sys.path[:0] = {[str(p) for p in Path(__file__).parents[:2]]!r}
from made_samples import make_samples
from test_checkpoint import CONFIG
from recsys_lib.ranking import train_model
rows = make_samples(600)
def die(log):
    if len(log.seconds) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
train_model("embedding_mlp", rows[:400], rows[400:], CONFIG, 1, on_epoch=die, checkpoint="kept")
"""


@pytest.mark.slow
def test_after_a_kill_it_ends_with_the_same_weights(samples, tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    rows = samples[:400], samples[400:]
    on = train_model("embedding_mlp", *rows, CONFIG, 1, checkpoint=tmp_path / "kept")
    whole = train_model("embedding_mlp", *rows, CONFIG, 1)
    assert on.log.resumed_after == 2
    assert on.log.validation_auc == whole.log.validation_auc
    assert on.log.best_epoch == whole.log.best_epoch
    assert all(np.array_equal(on.weights[name], whole.weights[name]) for name in whole.weights)


def test_a_checkpoint_of_another_training_is_refused(samples, tmp_path):
    train_model("embedding_mlp", samples, config=CONFIG.fixed_epochs(1), checkpoint=tmp_path)
    one = CONFIG.fixed_epochs(1)
    for rows, config in ((samples, replace(one, dropout=0.1)), (samples[1:], one)):
        with pytest.raises(DataError, match="other settings or other data"):
            train_model("embedding_mlp", rows, config=config, checkpoint=tmp_path)


@pytest.mark.parametrize("content", [b"PK", b"PK\x03\x04 the first half of an archive", b""])
def test_a_broken_checkpoint_is_named(samples, tmp_path, content):
    (tmp_path / "embedding_mlp.npz").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        train_model("embedding_mlp", samples, config=CONFIG.fixed_epochs(1), checkpoint=tmp_path)
    assert os.listdir(tmp_path) == ["embedding_mlp.npz"]
