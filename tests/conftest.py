"""Fixtures for all tests: outputs never land in the checkout, MovieLens is fetched once."""

import gc
import os
import sys

import pytest

# What is imported and collected stays to the end. The collector of garbage would walk through it
# over and over, which takes as long as all else.
gc.disable()

# Each worker of a parallel run has a core of its own. More threads would wait for each other, and
# those of TensorFlow and BLAS burn processor time while they wait.
if "PYTEST_XDIST_WORKER" in os.environ:
    for kind in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{kind}_THREADS", "1")

# Else jsonschema builds a grammar of URIs, for seconds, in each worker.
sys.modules.setdefault("rfc3987_syntax", None)

# Java checks every class that it loads, and Spark loads thousands.
os.environ.setdefault(
    "SPARK_SUBMIT_OPTS", "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
)


def pytest_xdist_auto_num_workers(config):
    """Return one worker more than there are cores: many tests wait for servers and kernels."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Say which tests one worker runs, and begin with what takes longest.

    A worker runs all tests of a file, or of a group that a test names. Tests on Spark are such a
    group: one virtual machine serves them all. The long groups come first, so that the workers
    end together.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            on_spark = item.get_closest_marker("spark")
            item.add_marker(pytest.mark.xdist_group("spark" if on_spark else item.path.stem))
    marks = ("notebook", "spark", "slow")
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in marks])


def pytest_collection_finish():
    """Let the collector of garbage see to what the tests make."""
    gc.enable()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _outputs_elsewhere(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_OUTPUTS_DIR", str(tmp_path_factory.mktemp("outputs")))
        patch.delenv("RECSYS_RUN_DIR", raising=False)
        yield


@pytest.fixture(scope="session")
def spark():
    """The Spark session of all tests that need one, since starting it takes long.

    Every test asks something new of a few rows, which takes less time than to compile the question,
    so nothing is compiled here, and rows are dealt to two tasks. In the notebooks and in
    ``test_cluster`` Spark works as always. This virtual machine lives long: in its usual cache it
    would look for old code to throw away all the time.
    """
    from recsys_lib.spark.session import QUICK_JAVA, spark_session

    small = {
        "spark.driver.extraJavaOptions": f"{QUICK_JAVA} -XX:ReservedCodeCacheSize=240m",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.shuffle.partitions": "2",
    }
    return spark_session("tests", **small)


@pytest.fixture(scope="session")
def ml_100k():
    """The real MovieLens 100K, fetched into ``data/`` where it is missing."""
    from recsys_lib.data import ensure

    return ensure("ml-100k")
