"""Strict nbval: run again, each lesson shows what is committed, and its solutions pass."""

import os
import subprocess
import sys

import pytest

from recsys_lib.experiments.notebooks import Notebook, discover

# Labs show a larger run than a test can afford; test_papermill.py runs them in the quick profile.
LESSONS = [each for each in discover() if not each.is_lab]
# What the lessons on vectors and recall hand on; the others live on samples and ranking models.
VECTORS = {"item2vec", "deepwalk", "node2vec", "recallers"}
# Pytest with nbval alone, and without the grammar of URIs that jsonschema would build: both take
# seconds at each start, and no notebook needs them.
PYTEST = """
import sys
sys.modules["rfc3987_syntax"] = None
import pytest
sys.exit(pytest.main())
"""


def chain_of(notebook: Notebook) -> str:
    """Return which of two chains a lesson belongs to: each is run in order, and loads.

    A lesson that came before those it reads from would have the library fit the same again.
    """
    return "vectors" if VECTORS & {*notebook.reads, *notebook.writes} else "samples"


NOTEBOOKS = [
    pytest.param(each.name, id=each.name, marks=pytest.mark.xdist_group(f"nbval {chain_of(each)}"))
    for each in LESSONS
]


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_run_shows_what_is_committed(name, ml_100k, shared_outputs, solved_checkout):
    done = subprocess.run(
        [
            *(sys.executable, "-c", PYTEST, "-p", "nbval.plugin", "--nbval", "-q", "--no-header"),
            *("-p", "no:cacheprovider", "-o", "addopts=", f"notebooks/{name}.ipynb"),
        ],
        cwd=solved_checkout,
        env=_environment()
        | {"RECSYS_OUTPUTS_DIR": shared_outputs, "RECSYS_DATA_DIR": str(ml_100k.path.parent)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def _environment() -> dict[str, str]:
    # The worker of a parallel test run must not look like one to the inner pytest.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return ours | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
