import pytest


@pytest.fixture(scope="session")
def spark():
    """One Spark session for all feature tests: starting it is most of their time."""
    from recsys_lib.spark import spark_session

    return spark_session("tests")


@pytest.fixture(scope="session")
def job_of_movielens(spark, ml_100k, tmp_path_factory):
    """The folder that the samples job wrote for MovieLens 100K."""
    from recsys_lib.features.samples_job import build_samples

    out = tmp_path_factory.mktemp("job") / "samples"
    build_samples(spark, ml_100k.path, out)
    return out
