import pytest


@pytest.fixture(scope="session")
def spark():
    """One Spark session for these tests: starting it is most of their time."""
    from recsys_lib.spark import spark_session

    return spark_session("tests")
