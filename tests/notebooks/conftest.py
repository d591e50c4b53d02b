"""What the tests of notebooks share: outputs, so that one loads what another has fitted."""

from pathlib import Path

import pytest
from solved_notebooks import solve_all

from recsys_lib import paths


@pytest.fixture(scope="session")
def shared_outputs(tmp_path_factory, worker_id) -> str:
    """Outputs of these notebooks alone: one builds what the next reads, nothing old is read."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "nbval"  # the workers' common one
    folder.mkdir(exist_ok=True)
    return str(folder)


@pytest.fixture(scope="session")
def solved_checkout(tmp_path_factory) -> Path:
    """A checkout whose exercises are done, so that one run shows notebooks and solutions."""
    root, here = tmp_path_factory.mktemp("solved"), paths.project_root()
    for name in ("pyproject.toml", "requirements.lock", "recsys_lib"):
        (root / name).symlink_to(here / name)
    (root / "notebooks").mkdir()
    solve_all(here / "notebooks", root / "notebooks")
    return root
