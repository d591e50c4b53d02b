"""Timings, run by ``make bench``; each stands beside a named peer in the same run."""

import subprocess
import sys

import pytest


@pytest.mark.benchmark(group="start of a process (peer: the bare interpreter)")
@pytest.mark.parametrize(
    "command",
    [["-c", "pass"], ["-c", "import recsys_lib"], ["-m", "recsys_lib", "--help"]],
    ids=["python", "import recsys_lib", "recsys --help"],
)
def test_start(benchmark, command):
    run = {"capture_output": True, "check": True}
    benchmark.pedantic(subprocess.run, [[sys.executable, *command]], run, rounds=5)
