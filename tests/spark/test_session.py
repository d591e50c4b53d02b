"""Starting Spark: refused early without Java, quiet, the same session twice."""

import os
import subprocess
import sys

import pytest


def test_no_java_is_named_before_spark_is_imported(tmp_path):
    check = (
        "import sys\n"
        "from recsys_lib.errors import MachineError\n"
        "from recsys_lib.spark import spark_session\n"
        "try:\n    spark_session('test')\n"
        "except MachineError as error:\n    print(error)\n"
        "assert 'pyspark' not in sys.modules"
    )
    environment = {k: v for k, v in os.environ.items() if k != "JAVA_HOME"} | {"PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", check], env=environment, capture_output=True, text=True, check=True
    )
    assert "No Java found" in done.stdout
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.spark
def test_a_session_is_quiet_bounded_and_ends_with_its_borrower(tmp_path):
    """In a fresh process: nothing on stdout or stderr, nothing in the working folder."""
    work = (
        "from recsys_lib.errors import MachineError\n"
        "from recsys_lib.spark import borrowed_session, spark_session\n"
        "def options(spark):\n"
        "    management = spark._jvm.java.lang.management.ManagementFactory\n"
        "    return list(management.getRuntimeMXBean().getInputArguments())\n"
        "try:\n    spark_session('wrong', master='no such master')\n"
        "except MachineError as error:\n    assert 'Spark did not start' in str(error)\n"
        "else:\n    raise SystemExit('a wrong master was taken')\n"
        "with borrowed_session('first') as spark:\n"
        "    assert spark_session('again') is spark\n"
        "    assert spark.range(10).count() == 10\n"
        "    assert spark.conf.get('spark.sql.session.timeZone') == 'UTC'\n"
        "    assert spark.sparkContext._conf.get('spark.driver.memory') == '4g'\n"
        "    assert '-XX:TieredStopAtLevel=1' in options(spark)\n"
        "    machine = spark.sparkContext._gateway.proc\n"
        "assert machine.poll() is not None, 'the virtual machine is still running'\n"
        "with borrowed_session('second', **{'spark.driver.extraJavaOptions': ''}) as spark:\n"
        "    assert spark.range(3).count() == 3\n"
        "    assert '-XX:TieredStopAtLevel=1' not in options(spark)\n"
    )
    here = tmp_path / "here"
    here.mkdir()
    environment = os.environ | {"RECSYS_RUN_DIR": str(tmp_path / "run")}
    done = subprocess.run(
        [sys.executable, "-c", work], cwd=here, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(here.iterdir()) == []
    assert (tmp_path / "run" / "native.log").stat().st_size > 0
