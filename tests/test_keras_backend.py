"""TensorFlow comes in quietly and alone, and the collector of garbage passes over nothing else."""

import subprocess
import sys

CODE = """
import gc, sys
from recsys_lib.ranking.export import example_of
example_of({}, 0)  # a message: who asks for one has not asked for Keras
print(gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects()), "sklearn" in sys.modules)
import sklearn.ensemble  # it may still be imported
"""


def test_whoever_imports_tensorflow_first_gets_it_alone_quietly_and_out_of_the_collection():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    enabled, frozen, watched, with_scikit_learn = done.stdout.split()
    assert enabled == "True"
    assert int(frozen) > 100_000 > int(watched)
    assert with_scikit_learn == "False"
