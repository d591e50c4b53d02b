"""TensorFlow comes in quietly, and the collector of garbage passes over it and nothing else."""

import subprocess
import sys

CODE = """
import gc
from recsys_lib.ranking.export import example_of
example_of({}, 0)  # a message: who asks for one has not asked for Keras
print(gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects()))
"""


def test_whoever_imports_tensorflow_first_does_so_quietly_and_leaves_it_out_of_the_collection():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    enabled, frozen, watched = done.stdout.split()
    assert enabled == "True"
    assert int(frozen) > 100_000 > int(watched)
