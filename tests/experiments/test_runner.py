"""Whole runs of tiny notebooks with real kernels."""

import json
import os
import signal

import psutil
import pytest

from recsys_lib.experiments import records
from recsys_lib.experiments.notebooks import discover
from recsys_lib.experiments.plan import make_plan
from recsys_lib.experiments.progress import error_lines
from recsys_lib.experiments.runner import run

pytestmark = pytest.mark.notebook

WRITER = """
run.save("a", window * 10)
run.record({"size": (window, "count", "Size of the window.")})
"""
READER = """
import time
run.record(
    {
        "doubled": (2 * run.load("a"), "count", "Twice what the other wrote."),
        "seconds": (time.monotonic(), "s", "Another number at each run."),
    }
)
"""


@pytest.fixture
def pair(notebooks):
    """A notebook that writes and one that reads it."""
    notebooks.write("01_writer", WRITER)
    notebooks.write("02_reader", READER, parameters="depth: int = 1", profiles="{}")
    return notebooks


def carry_out(notebooks, *wanted, fresh=False, jobs=None, **command):
    return run(make_plan(discover(notebooks.folder), wanted, **command), jobs, fresh)


def metrics_of(run) -> dict:
    """Return a run's metrics as {name: value}."""
    recorded = json.loads((run / "metrics.json").read_text())
    return {name: metric["value"] for name, metric in recorded.items()}


def statuses(result):
    return {name: each.status for name, each in result.outcomes.items()}


def test_a_run_leaves_all_its_files_and_points_latest_to_itself(pair, outputs):
    result = carry_out(pair, assignments=["window=7"])
    assert statuses(result) == {"01_writer": "ok", "02_reader": "ok"}
    folder = result.folder
    assert metrics_of(folder)["02_reader.doubled"] == 140
    assert (outputs / "latest").resolve() == folder
    assert os.readlink(outputs / "latest") == folder.name
    for name in ("01_writer", "02_reader"):
        page = (folder / name / "notebook.html").read_text()
        assert "https://cdn" not in page
        assert "<script src" not in page
        assert json.loads((folder / name / "notebook.ipynb").read_text())["cells"]
    described = json.loads((folder / "run.json").read_text())
    assert described["status"] == "complete"
    assert described["notebooks"]["01_writer"]["parameters"] == {"window": 7}
    assert described["notebooks"]["01_writer"]["changed"] == ["window"]
    assert {"python", "packages", "platform", "java", "revision", "command"} <= set(described)
    assert "02_reader: cell" in (folder / "run.log").read_text()
    report = (folder / "report.html").read_text()
    assert "02_reader title" in report
    assert "http://" not in report
    assert "https://" not in report


def test_a_kernel_is_promised_no_port_that_another_process_may_take_first(
    notebooks, tmp_path, monkeypatch
):
    deep = tmp_path / ("a" * 100)  # too deep for the path of a socket
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    notebooks.write(
        "01_one",
        "from ipykernel.kernelapp import IPKernelApp",
        "promised = IPKernelApp.instance().transport == 'tcp'",
        "run.record({'promised': (int(promised), 'count', 'Whether it was told ports.')})",
    )
    assert metrics_of(carry_out(notebooks).folder) == {"01_one.promised": 0}


def test_the_same_command_again_changes_nothing_and_other_parameters_rerun_what_they_touch(
    pair, outputs
):
    first = carry_out(pair)
    again = carry_out(pair)
    assert again.unchanged
    assert again.folder == first.folder
    assert [each.name for each in records.runs()] == [first.folder.name]

    deeper = carry_out(pair, assignments=["depth=2"])
    assert statuses(deeper) == {"01_writer": "reused", "02_reader": "ok"}
    value = "artifacts/a/value.json"
    assert (deeper.folder / value).samefile(first.folder / value)

    wider = carry_out(pair, assignments=["window=6"])
    assert statuses(wider) == {"01_writer": "ok", "02_reader": "ok"}

    back = carry_out(pair)
    assert back.unchanged
    assert back.folder == first.folder
    assert (outputs / "latest").resolve() == first.folder


def test_a_changed_cell_reruns_its_notebook_and_committed_outputs_do_not(pair):
    first = carry_out(pair)
    path = pair.folder / "02_reader.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    path.write_text(json.dumps(notebook))
    assert carry_out(pair).unchanged
    pair.write("02_reader", READER, "1 + 1", profiles="{}", parameters="depth = 1")
    changed = carry_out(pair)
    assert statuses(changed) == {"01_writer": "reused", "02_reader": "ok"}
    assert (
        metrics_of(changed.folder)["01_writer.size"] == metrics_of(first.folder)["01_writer.size"]
    )


def test_fresh_runs_execute_everything_and_agree(pair):
    runs = [carry_out(pair, fresh=True) for _ in range(2)]
    assert all(set(statuses(each).values()) == {"ok"} for each in runs)
    first, second = (metrics_of(each.folder) for each in runs)
    assert first.pop("02_reader.seconds") != second.pop("02_reader.seconds")
    assert first == second


def test_a_subset_runs_alone_and_what_it_reads_is_not_made_by_another_notebook(pair):
    unwritten = 'assert not (folder / "artifacts").exists()\nif depth > 1: run.load("a")'
    pair.write("02_reader", unwritten, parameters="depth: int = 1", profiles="{}")
    assert statuses(carry_out(pair, "02")) == {"02_reader": "ok"}


def test_what_an_unnamed_notebook_wrote_in_an_earlier_run_is_read_from_there(pair):
    def reader_alone(**command):
        return carry_out(pair, "02", find_earlier=records.find_reusable, **command)

    pair.write("03_last", 'run.record({"x": (run.load("b"), "count", "One.")})', profiles="{}")
    pair.write("02_reader", READER + 'run.save("b", 3)', parameters="depth: int = 1", profiles="{}")
    whole = carry_out(pair)
    deeper = reader_alone(assignments=["depth=2"])
    assert statuses(deeper) == {"02_reader": "ok"}
    assert metrics_of(deeper.folder)["02_reader.doubled"] == 100
    value = "artifacts/a/value.json"
    assert (deeper.folder / value).samefile(whole.folder / value)
    assert "01_writer: what it wrote is read from" in (deeper.folder / "run.log").read_text()
    assert reader_alone(assignments=["depth=2"]).unchanged

    # Only what a notebook's own parameters gave, from what such notebooks gave, is lent.
    carry_out(pair, assignments=["window=7"])
    last = make_plan(discover(pair.folder), ["03"], find_earlier=lambda step: whole.folder)
    assert set(last.lent) == {"01_writer", "02_reader"}
    assert not any(step.changed for step, _ in last.lent.values())
    without = make_plan(
        discover(pair.folder),
        ["03"],
        find_earlier=lambda s: whole.folder if s.notebook.name[:2] == "02" else None,
    )
    assert not without.lent
    assert without.steps["03_last"].fingerprint != last.steps["03_last"].fingerprint


def test_what_earlier_runs_left_has_the_seed_of_the_command(notebooks):
    seeded = "seed: int = 42"
    notebooks.write("01_writer", 'run.save("a", seed)', parameters=seeded, profiles="{}")
    for name in ("02_reader", "03_reader"):
        notebooks.write(name, 'run.load("a")', parameters=seeded, profiles="{}")

    def lent(*wanted, **command):
        found = discover(notebooks.folder)
        return make_plan(found, wanted, find_earlier=lambda step: notebooks.folder, **command).lent

    assert lent("02", "03")["01_writer"][0].parameters == {"seed": 42}
    assert lent("02", "03", assignments=["seed=7"])["01_writer"][0].parameters == {"seed": 7}
    assert not lent("02", "03", assignments=["02_reader.seed=7"])


def test_a_failing_cell_stops_what_depends_on_it_and_the_next_run_goes_on(pair, outputs):
    pair.write("01_writer", "def f(x):\n    return 1 / x", 'y = 1\nrun.save("a", f(0))')
    pair.write("03_other", 'run.record({"x": (1, "count", "One.")})')
    result = carry_out(pair)
    assert statuses(result) == {"01_writer": "failed", "02_reader": "skipped", "03_other": "ok"}
    assert result.failed == ["01_writer", "02_reader"]
    lines = error_lines("01_writer", result.outcomes["01_writer"], result.folder)
    assert len(lines) == 5
    assert lines[1].endswith("6")
    assert "ZeroDivisionError: division by zero" in lines[2]
    assert 'line 2: run.save("a", f(0))' in lines[3]
    assert "return 1 / x" in (result.folder / "01_writer" / "error.txt").read_text()
    assert "ZeroDivisionError" in (result.folder / "report.html").read_text()
    assert not (outputs / "latest").exists()
    assert metrics_of(result.folder) == {"03_other.x": 1}

    pair.write("01_writer", WRITER)
    mended = carry_out(pair)
    assert statuses(mended) == {"01_writer": "ok", "02_reader": "ok", "03_other": "reused"}


def test_a_dead_kernel_is_reported_and_the_others_go_on(notebooks):
    before = 'import os, signal\nprint("seen", "before it died")'
    notebooks.write("01_dies", before, "os.kill(os.getpid(), signal.SIGKILL)")
    notebooks.write("02_lives", 'run.record({"x": (1, "count", "One.")})')
    result = carry_out(notebooks)
    assert statuses(result) == {"01_dies": "failed", "02_lives": "ok"}
    lines = error_lines("01_dies", result.outcomes["01_dies"], result.folder)
    assert "kernel died" in lines[2]
    assert lines[1].endswith("6")
    assert "os.kill" in lines[3]
    for kept in ("notebook.ipynb", "notebook.html"):
        assert "seen before it died" in (result.folder / "01_dies" / kept).read_text()


def test_a_killed_executing_process_is_reported(notebooks):
    notebooks.write("01_dies", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    result = carry_out(notebooks)
    assert statuses(result) == {"01_dies": "failed"}
    assert "code -9" in result.outcomes["01_dies"].error["error"]


def test_a_notebook_that_does_not_reach_what_its_code_saves_fails(notebooks):
    notebooks.write("01_forgets", 'if window == 0:\n    run.save("a", 1)')
    result = carry_out(notebooks)
    assert statuses(result) == {"01_forgets": "failed"}
    assert "artefact 'a'" in result.outcomes["01_forgets"].error["error"]


def test_independent_notebooks_run_side_by_side(notebooks):
    meet = """
import time
(folder / NAME / "here").touch()
end = time.monotonic() + 60
while not all((folder / n / "here").exists() for n in ("01_one", "02_two")):
    assert time.monotonic() < end
    time.sleep(0.05)
"""
    notebooks.write("01_one", meet)
    notebooks.write("02_two", meet)
    assert statuses(carry_out(notebooks, jobs=2)) == {"01_one": "ok", "02_two": "ok"}


@pytest.fixture
def _interruptible():
    """Let SIGINT interrupt: what a shell has started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupted_run_ends_its_kernels_and_the_next_goes_on(notebooks, tmp_path):
    (tmp_path / "slow").touch()
    slow = f"""
import os, signal, time
if Path({str(tmp_path / "slow")!r}).exists():
    Path({str(tmp_path / "kernel")!r}).write_text(str(os.getpid()))
    os.kill({os.getpid()}, signal.SIGINT)
    time.sleep(600)
"""
    notebooks.write("01_quick", 'run.save("a", 1)')
    notebooks.write("02_slow", slow + 'run.load("a")')
    with pytest.raises(KeyboardInterrupt):
        carry_out(notebooks, jobs=1)
    assert not psutil.pid_exists(int((tmp_path / "kernel").read_text()))
    (stopped,) = records.runs()
    described = json.loads((stopped / "run.json").read_text())
    assert described["status"] == "interrupted"
    assert {name: each["status"] for name, each in described["notebooks"].items()} == {
        "01_quick": "ok",
        "02_slow": "interrupted",
    }
    (tmp_path / "slow").unlink()
    assert statuses(carry_out(notebooks)) == {"01_quick": "reused", "02_slow": "ok"}


def test_an_incomplete_earlier_run_is_not_reused(pair):
    first = carry_out(pair)
    (first.folder / "artifacts" / "a" / "artifact.json").unlink()
    (first.folder / "run.json").unlink()
    assert statuses(carry_out(pair)) == {"01_writer": "ok", "02_reader": "reused"}


def test_a_data_set_that_leaves_nothing_to_judge_ends_in_a_sentence(notebooks, outputs):
    notebooks.write(
        "01_judging",
        "from recsys_lib.errors import NothingToJudge\n"
        "raise NothingToJudge('3 users are too few.')",
        'run.save("a", 1)',
    )
    notebooks.write("02_reading", 'run.record({"one": (1, "count", "One.")})\nif 0: run.load("a")')
    result = carry_out(notebooks)
    assert statuses(result) == {"01_judging": "left out", "02_reading": "ok"}
    assert (result.failed, result.left_out) == ([], {"01_judging": "3 users are too few."})
    folder = result.folder
    assert not (folder / "01_judging" / "error.txt").exists()
    page = (folder / "01_judging" / "notebook.html").read_text()
    assert "3 users are too few." in page
    assert "Traceback" not in page
    assert "3 users are too few." in (folder / "report.html").read_text()
    assert json.loads((folder / "run.json").read_text())["status"] == "left out"
