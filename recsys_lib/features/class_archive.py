"""An archive of Spark's classes, from which Spark starts faster.

Spark loads 16,000 classes at each start: found in its jars, parsed and checked one by one. Java
can keep them in a file that it maps into memory instead (class data sharing, JEP 350). Such a
file fits one build of Java and the jars of one environment, so it lies in that environment. Java
compares both at each start, and does without a file that does not fit.

``python -m recsys_lib.features.class_archive`` makes the file; the Makefile does
it once, when it sets up the environment.
"""

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from recsys_lib import files
from recsys_lib.errors import MachineError
from recsys_lib.java import find_java
from recsys_lib.quiet import native_log

# Else Java tells on standard output, which is the program's own, what does not fit or is left out.
_QUIET = "-Xlog:disable -Xlog:all=error:stderr"


def archive_path(java: int) -> Path:
    """Return where this environment's archive for a version of Java lies, if there is one."""
    return Path(sys.prefix) / "var" / f"spark-{version('pyspark')}-java{java}.jsa"


def reading_options(java: int) -> str:
    """Return the options that let a virtual machine read the archive, none where it is missing."""
    path = archive_path(java)
    return f'{_QUIET} -XX:SharedArchiveFile="{path}"' if path.exists() else ""


def make_archive() -> Path:
    """Run a small samples job and keep the classes it has loaded; return the archive's path.

    Takes a minute of processor time and 190 MB of disk. An earlier archive stays until the new
    one is complete.

    Raises
    ------
    MachineError
        There is no Java that Spark can use, Spark did not start, or Java wrote no archive.
    OSError
        The environment cannot be written to.
    """
    from recsys_lib.features.samples_job import build_samples
    from recsys_lib.features.spark import borrowed_session, java_options

    path = archive_path(find_java()[1])
    with tempfile.TemporaryDirectory() as folder, files.atomic_path(path) as fresh:
        source = Path(folder)
        _write_toy(source)
        options = f'{java_options()} {_QUIET} -XX:ArchiveClassesAtExit="{fresh}"'
        with borrowed_session("classes", **{"spark.driver.extraJavaOptions": options}) as spark:
            build_samples(spark, source, source / "samples")
        if not fresh.exists() or not fresh.stat().st_size:
            raise MachineError(f"Java wrote no archive of classes; {native_log()} may say why.")
    return path


def _write_toy(folder: Path) -> None:
    """Write a data set with a duplicate, so that the job also sets a row aside."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from recsys_lib import schema

    events = [(1, 1, 4.0, 100), (1, 2, 3.0, 200), (2, 1, 5.0, 300), (2, 1, 5.0, 300)]
    columns = [list(column) for column in zip(*events, strict=True)]
    items = {"item_id": [1, 2], "title": ["a", "b"], "release_year": [1990, 1991],
             "genres": [["Drama"], ["Comedy"]], "entity_id": [None, None]}  # fmt: skip
    pq.write_table(pa.table(columns, schema=schema.INTERACTIONS), folder / "interactions.parquet")
    pq.write_table(pa.table(items, schema=schema.ITEMS), folder / "items.parquet")


if __name__ == "__main__":
    print(f"Spark's classes are in {make_archive()}.")
