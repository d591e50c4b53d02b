"""What comes with TensorFlow is kept from the collector of garbage, and nothing else is."""

import subprocess
import sys

CODE = """
import gc
from recsys_lib.keras_backend import load_keras
load_keras()
print(gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects()))
"""


def test_the_collector_goes_on_without_what_was_imported():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    enabled, frozen, watched = done.stdout.split()
    assert enabled == "True"
    assert int(frozen) > 100_000 > int(watched)
