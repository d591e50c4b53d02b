"""Fixtures for all tests: outputs never land in the checkout, MovieLens is fetched once."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _outputs_elsewhere(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_OUTPUTS_DIR", str(tmp_path_factory.mktemp("outputs")))
        patch.delenv("RECSYS_RUN_DIR", raising=False)
        yield


@pytest.fixture(scope="session")
def ml_100k():
    """The real MovieLens 100K, fetched into ``data/`` where it is missing."""
    from recsys_lib.data import ensure

    return ensure("ml-100k")
