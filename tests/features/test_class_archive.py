"""The archive of Spark's classes: read where it is there, harmless where it is none."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from recsys_lib.features.class_archive import archive_path, reading_options
from recsys_lib.java import find_java

# Prints whether the virtual machine has the archive in its memory, then a sum.
WORK = """
import sys
from pathlib import Path
from recsys_lib.features.spark import borrowed_session
with borrowed_session("test") as spark:
    machine = spark.sparkContext._gateway.proc.pid
    print(sys.argv[1] in Path(f"/proc/{machine}/maps").read_text(), spark.range(4).count())
"""


def test_without_an_archive_java_starts_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert reading_options(17) == ""
    archive_path(17).parent.mkdir()
    archive_path(17).touch()
    assert str(tmp_path) in reading_options(17)
    assert reading_options(21) == ""


@pytest.mark.parametrize("content", [b"", b"of another form" * 1_000], ids=["empty", "other"])
def test_java_does_quietly_without_what_is_no_archive(monkeypatch, tmp_path, content):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    java, version = find_java()
    archive_path(version).parent.mkdir()
    archive_path(version).write_bytes(content)
    command = [java, *shlex.split(reading_options(version)), "-cp", str(tmp_path), "-version"]
    told = subprocess.run(command, capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (0, "")


@pytest.mark.spark
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks Linux what is mapped")
def test_spark_reads_the_archive_of_the_set_up(tmp_path):
    made = archive_path(find_java()[1])
    if not made.exists():
        pytest.skip("make setup makes it: python -m recsys_lib.features.class_archive")
    told = subprocess.run(
        [sys.executable, "-c", WORK, made],
        env=os.environ | {"RECSYS_RUN_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "True 4\n", "")
