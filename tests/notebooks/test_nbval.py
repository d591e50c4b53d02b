"""Strict nbval: run again, each notebook shows what is committed, cell by cell."""

import os
import subprocess
import sys

import pytest

from recsys_lib import paths

# Labs show a larger run than a test can afford; test_papermill.py runs them in the quick profile.
FILES = sorted(f for f in paths.notebooks_dir().glob("[0-9]*.ipynb") if "_lab_" not in f.name)
# Two workers, one notebook after another each: the longest tests should not wait for each other.
NOTEBOOKS = [
    pytest.param(file, id=file.stem, marks=pytest.mark.xdist_group(f"nbval {place % 2}"))
    for place, file in enumerate(FILES)
]


@pytest.fixture(scope="module")
def shared_outputs(tmp_path_factory, worker_id) -> str:
    """Outputs of these notebooks alone: one builds what the next reads, nothing old is read."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "nbval"  # the workers' common one
    folder.mkdir(exist_ok=True)
    return str(folder)


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_run_shows_what_is_committed(notebook, ml_100k, shared_outputs):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbval", "-q", "--no-header"),
            *("-p", "no:cacheprovider", "-p", "no:xdist", str(notebook)),
        ],
        cwd=paths.project_root(),
        env=_environment() | {"RECSYS_OUTPUTS_DIR": shared_outputs},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def _environment() -> dict[str, str]:
    # The worker of a parallel test run must not look like one to the inner pytest.
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
