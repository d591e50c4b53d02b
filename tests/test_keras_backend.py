"""TensorFlow comes in quietly and alone, and the collector of garbage passes over nothing else."""

import subprocess
import sys

CODE = """
import gc, sys
import pandas as pd
from recsys_lib.recall import TwoTower
from recsys_lib.ranking import RankingConfig, TrainingConfig, train_model
from recsys_lib.ranking.export import example_of

example_of({}, 0)  # a message: who asks for one has not asked for Keras
print(gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects()))

ids = {"user_id": [1, 1, 2, 2], "item_id": [7, 8, 7, 9]}
rows = pd.DataFrame(ids | {"label": [1, 0, 1, 0], "rating": 5.0, "timestamp": range(4)})
config = RankingConfig(tuple(ids), (), training=TrainingConfig(epochs=1))
train_model("embedding_mlp", rows, rows, config)
TwoTower(epochs=1).fit(rows)
extras = {"sklearn", "matplotlib", "scipy.stats"} & {*sys.modules}
print(*extras, *[name for name in sys.modules if name.startswith("__autograph_generated")])
import matplotlib.pyplot, sklearn.ensemble  # they may still be imported
"""


def test_tensorflow_comes_alone_and_out_of_the_collection_and_trains_without_translation():
    """A model that trains in a second must not wait for what it does not need.

    Neither for packages that Keras would load for others, nor until Python's code has been
    translated by TensorFlow's AutoGraph.
    """
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    (enabled, frozen, watched), extras = map(str.split, done.stdout.splitlines())
    assert enabled == "True"
    assert int(frozen) > 100_000 > int(watched)
    assert extras == []
