"""The samples job as a whole process, Parquet in to Parquet out, the start of an engine included.

The peer is the reference system's job (``reference_job.py``). Our own job runs on the embedded
engine and on Spark; growth is read off our own times. Two floors of Spark are measured as well:
the session started and the ratings copied, or the finished samples. Data sets are made once and
kept in a temporary folder. ``RECSYS_BENCH_LARGE=1`` adds 10 and 25 million ratings and skewed ones.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from recsys_lib.data import load, present
from recsys_lib.data.synthetic import SyntheticConfig, synthesise

REFERENCE = Path(__file__).with_name("reference_job.py")
OURS = [sys.executable, "-m", "recsys_lib", "samples", "build"]
SCRIPTS = {
    "floor": """
import sys
from recsys_lib.spark import borrowed_session
with borrowed_session("floor") as spark:
    ratings = spark.read.parquet(f"{sys.argv[1]}/interactions.parquet")
    ratings.write.parquet(sys.argv[2], "overwrite")
""",
    "copy": """
import sys
from recsys_lib.spark import borrowed_session
with borrowed_session("copy") as spark:
    samples = spark.read.parquet(f"{sys.argv[1]}/samples").repartition("event_month")
    samples.write.parquet(sys.argv[2], "overwrite", partitionBy="event_month", compression="zstd")
""",
}
KEYS = ["timestamp", "user_id", "item_id"]
large = pytest.mark.skipif("RECSYS_BENCH_LARGE" not in os.environ, reason="RECSYS_BENCH_LARGE=1")


@pytest.fixture(scope="module")
def synthetic():
    """A function from millions of ratings to the folder of such a data set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_DATA_DIR", str(Path(tempfile.gettempdir()) / "recsys-bench"))

        def folder(millions: int) -> Path:
            name = f"synthetic-{millions}m"
            config = SyntheticConfig(6_500 * millions, 10_000, 1_000_000 * millions)
            return (load(name) if name in present() else synthesise(name, config)).path

        yield folder


def timed(benchmark, command: list, out: Path, rounds: int) -> None:
    peaks = benchmark.pedantic(peak_gigabytes, [command], rounds=rounds)
    files = [pq.read_metadata(file) for file in out.rglob("*.parquet")]
    benchmark.extra_info["rows"] = sum(file.num_rows for file in files)
    benchmark.extra_info["peak_gigabytes"] = peaks  # of the process itself, not of Java beside it


def peak_gigabytes(command: list) -> float:
    """Run a command and return the most memory that its process held."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return round(usage.ru_maxrss / 1e6, 2)


def command(name: str, source: Path, out: Path) -> list:
    if name == "reference":
        return [sys.executable, REFERENCE, source, out]
    if name in SCRIPTS:
        return [sys.executable, "-c", SCRIPTS[name], source, out]
    return [*OURS, source, "--out", out, "--engine", name]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """A function from a name to where its job writes, so that results can be compared."""
    made = tmp_path_factory.mktemp("samples")
    return lambda name: made / name


@pytest.mark.benchmark(
    group="samples of MovieLens 100K (embedded: at most 1/8 of spark and 1/20 of the reference)"
)
@pytest.mark.parametrize("name", ["reference", "spark", "embedded", "floor"])
def test_samples_of_movielens(benchmark, ml_100k, tmp_path, name):
    timed(benchmark, command(name, ml_100k.path, tmp_path / "out"), tmp_path / "out", rounds=3)


@pytest.mark.benchmark(group="samples of 1 million ratings (embedded: at most a fifth of spark)")
@pytest.mark.parametrize("name", ["reference", "spark", "embedded", "copy"])
def test_samples_of_a_million(benchmark, synthetic, folder_of, name):
    source = folder_of("spark") if name == "copy" else synthetic(1)
    timed(benchmark, command(name, source, folder_of(name)), folder_of(name), rounds=3)
    if name == "embedded":
        ours, theirs = (
            pd.read_parquet(folder_of(engine) / "samples").sort_values(KEYS, ignore_index=True)
            for engine in ("embedded", "spark")
        )
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


@large
@pytest.mark.benchmark(group="growth (embedded, 10 million: at most 12 times 1 million)")
@pytest.mark.parametrize(
    ("name", "millions"), [("embedded", 1), ("embedded", 10), ("embedded", 25), ("spark", 25)]
)
def test_growth(benchmark, synthetic, tmp_path, name, millions):
    out = tmp_path / "out"
    timed(benchmark, command(name, synthetic(millions), out), out, rounds=1)


@pytest.fixture(scope="module")
def skewed(synthetic):
    """A function from a kind of skew to a folder with 5 million ratings of that kind."""

    def folder(kind: str) -> Path:
        source = synthetic(5)
        made = source.parent / f".{kind}"
        if kind == "even" or made.is_dir():
            return source if kind == "even" else made
        made.mkdir()
        (made / "items.parquet").symlink_to(source / "items.parquet")
        table = pq.read_table(source / "interactions.parquet")
        random = np.random.default_rng(0)
        heavy = random.random(len(table)) < 0.3
        # At moments of their own, or most would be duplicates of a burst's second.
        times = table["timestamp"].to_numpy()
        moments = random.integers(times[0], times[-1], len(table))
        for name, values in ((kind, 1), ("timestamp", moments)):
            place = table.column_names.index(name)
            column = np.where(heavy, values, table[name].to_numpy())
            table = table.set_column(place, table.schema.field(place), [column])
        pq.write_table(table, made / "interactions.parquet")
        return made

    return folder


@pytest.mark.benchmark(group="5 million ratings, 30 % of them of one item or user (peer: even)")
@pytest.mark.parametrize("kind", ["even", "item_id", "user_id"])
@pytest.mark.parametrize("name", ["embedded", "spark"])
def test_skew(benchmark, skewed, tmp_path, name, kind):
    out = tmp_path / "out"
    timed(benchmark, command(name, skewed(kind), out), out, rounds=1)
