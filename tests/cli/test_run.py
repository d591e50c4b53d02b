"""The command line around runs: what it refuses, prints and returns."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from recsys_lib import paths
from recsys_lib.cli.run import print_result
from recsys_lib.experiments.runner import Result
from recsys_lib.experiments.scheduler import Outcome


@pytest.fixture
def recsys(tmp_path):
    """Run the real command in a checkout of its own, which holds no notebooks at first."""
    for name in ("recsys_lib", "notebooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").touch()
    environment = os.environ | {"RECSYS_OUTPUTS_DIR": str(tmp_path / "outputs")}
    environment["PYTHONPATH"] = str(paths.project_root())

    def call(*arguments: str, wait: bool = True):
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "recsys_lib", *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if not wait:
            return process
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    call.folder = tmp_path
    return call


def write_notebook(folder, name: str, code: str):
    cells = [
        (["profiles"], 'profiles = {"quick": {"window": 1}, "full": {}}'),
        (["parameters"], "window: int = 5  # items on each side"),
        ([], code),
    ]
    raw = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": tags},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, (tags, source) in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": raw, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "03_itm2vec"], "Did you mean '03_item2vec'"),
        (["run", "-p", "windw=1"], "Did you mean 'window'"),
        (["run", "-p", "window=wide"], "type int"),
        (["run", "--profile", "quik"], "Did you mean 'quick'"),
        (["run", "--dataset", "toy"], "no effect"),
        (["metrics"], "No run has ended well"),
        (["metrics", "20200101"], "There is no run '20200101'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_before_anything_runs(recsys, arguments, said):
    write_notebook(recsys.folder, "03_item2vec", "1")
    code, out, err = recsys(*arguments)
    assert code == 1
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert not (recsys.folder / "outputs").exists()


def test_the_list_shows_parameters_with_their_help(recsys):
    write_notebook(recsys.folder, "03_item2vec", "1")
    code, out, _ = recsys("run", "--list")
    assert code == 0
    assert "window: int = 5" in out
    assert "items on each side" in out


@pytest.mark.notebook
def test_a_failing_notebook_ends_in_readable_lines_and_exit_code_1(recsys):
    write_notebook(recsys.folder, "03_item2vec", "x = 1\nx / 0")
    code, out, err = recsys("run")
    assert code == 1
    assert err == ""
    assert "  error: ZeroDivisionError: division by zero\n  code:  line 2: x / 0\n" in out
    assert "report.html" in out.splitlines()[-1]


def test_each_reason_for_which_notebooks_are_left_out_is_said_once(tmp_path, capsys):
    reasons = {"01_a": "No likes.", "02_b": "No titles.", "03_c": "No likes."}
    outcomes = {name: Outcome("left out", reason=each) for name, each in reasons.items()}
    print_result(Result(tmp_path, False, outcomes | {"04_d": Outcome("ok")}))
    said = "Left out: 01_a, 03_c.\nNo likes.\nLeft out: 02_b.\nNo titles.\nReport: "
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.notebook
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_run_that_is_ended(recsys, number):
    mark = recsys.folder / "kernel"
    code = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    write_notebook(recsys.folder, "03_item2vec", code)
    process = recsys("run", wait=False)
    end = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()):
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    kernel = int(mark.read_text())
    while psutil.pid_exists(kernel):
        assert time.monotonic() < end + 30
        time.sleep(0.1)
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert "goes on" in err
