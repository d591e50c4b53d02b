import pytest


@pytest.fixture(
    params=["embedded", pytest.param("spark", marks=pytest.mark.spark)], scope="session"
)
def engine(request):
    """What both engines must do alike: None for the embedded one, else a Spark session."""
    return request.getfixturevalue("spark") if request.param == "spark" else None


@pytest.fixture(scope="session")
def job_of_movielens(engine, ml_100k, tmp_path_factory):
    """The folder that an engine's samples job wrote for MovieLens 100K."""
    from recsys_lib.features import build_samples

    out = tmp_path_factory.mktemp("job") / "samples"
    build_samples(ml_100k.path, out, spark=engine)
    return out
