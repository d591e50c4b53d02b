"""A real standalone Spark cluster on this machine: a master and two workers, always stopped."""

import contextlib
import os
import subprocess
import time
from pathlib import Path

import pyspark

from recsys_lib.spark.session import QUICK_JAVA

LOCALHOST = "127.0.0.1"
OPTIONS = f"{QUICK_JAVA} {os.environ['SPARK_SUBMIT_OPTS']}"  # of what Spark does not submit


@contextlib.contextmanager
def running(folder: Path, n_workers: int = 2):
    """Yield the master's URL once all workers, of one core and 600 MB each, are registered."""
    home = Path(pyspark.__file__).parent
    environment = os.environ | {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": LOCALHOST,
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": OPTIONS,
    }
    started = []

    def start(role: str, name: str, *arguments: str) -> Path:
        log = folder / f"{name}.log"
        command = [
            home / "bin" / "spark-class", f"org.apache.spark.deploy.{role.lower()}.{role}",
            "--host", LOCALHOST, "--port", "0", "--webui-port", "0", *arguments,
        ]  # fmt: skip
        with open(log, "wb") as stream:
            started.append(
                subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, cwd=folder)
            )
        return log

    try:
        log = start("Master", "master")
        url = _wait_for(log, "Starting Spark master at ", 1).split()[-1]
        for number in range(n_workers):
            work = folder / f"worker-{number}"
            start("Worker", work.name, "--cores", "1", "--memory", "600m",
                  "--work-dir", str(work), url)  # fmt: skip
        _wait_for(log, "Registering worker", n_workers)
        yield url
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(timeout=60)


def _wait_for(log: Path, text: str, times: int, timeout_s: float = 120) -> str:
    """Return the last of so many lines with ``text`` in a log, as soon as they are there."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        lines = [line for line in log.read_text().splitlines() if text in line]
        if len(lines) >= times:
            return lines[-1]
        time.sleep(0.2)
    raise TimeoutError(f"{log} does not say {text!r}:\n{log.read_text()[-2000:]}")
