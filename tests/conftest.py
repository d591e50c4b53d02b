"""Fixtures for all tests: outputs never land in the checkout, MovieLens is fetched once."""

import pytest


def pytest_collection_modifyitems(items):
    """Let one worker run all tests of a file, or of a group within one where it names groups."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


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
