"""Two processes on one machine train one model together."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recsys_lib.ranking import train_model

WORKER = f"""
import sys
sys.path[:0] = {[str(p) for p in Path(__file__).parents[:2]]!r}
import numpy as np
from made_samples import make_samples
from test_workers import settings
from recsys_lib.ranking import train_model
model = train_model("embedding_mlp", make_samples(600), config=settings(), seed=1)
np.savez(sys.argv[1], **model.weights)
"""


def settings():
    from recsys_lib.ranking import RankingConfig, TrainingConfig

    # 600 rows in batches of 599: the last batch has one row, for one of the workers. The loss of
    # the vectors' length is a mean over a worker's rows, and must be weighed by their number.
    training = TrainingConfig(batch_size=599, epochs=3, patience=0)
    return RankingConfig(
        embedding_dim=4,
        hidden=(16, 8),
        id_dropout=0.0,
        dropout=0.0,
        embedding_l2=1e-3,
        training=training,
    )


@pytest.mark.slow
def test_two_workers_end_with_the_weights_of_one(samples, tmp_path):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    hosts = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    running = []
    for index in range(2):
        cluster = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER, f"{index}.npz"],
                cwd=tmp_path,
                env={**os.environ, "TF_CONFIG": json.dumps(cluster)},
                stderr=subprocess.PIPE,
            )
        )
    for worker in running:
        _, error = worker.communicate(timeout=300)
        assert worker.returncode == 0, error.decode()[-2_000:]
    first, second = (dict(np.load(tmp_path / f"{index}.npz")) for index in range(2))
    alone = train_model("embedding_mlp", samples, config=settings(), seed=1)
    for name, weights in alone.weights.items():
        assert np.array_equal(first[name], second[name])
        assert np.allclose(first[name], weights, rtol=0, atol=1e-5)
