"""What the tests of notebooks share: outputs, so that one loads what another has fitted."""

import pytest


@pytest.fixture(scope="session")
def shared_outputs(tmp_path_factory, worker_id) -> str:
    """Outputs of these notebooks alone: one builds what the next reads, nothing old is read."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "nbval"  # the workers' common one
    folder.mkdir(exist_ok=True)
    return str(folder)
