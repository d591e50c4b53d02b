"""Writing the outputs of a default run back into the notebooks."""

import json

import nbformat
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.experiments.notebooks import discover
from recsys_lib.experiments.plan import make_plan
from recsys_lib.experiments.regenerate import regenerate
from recsys_lib.experiments.runner import run

pytestmark = pytest.mark.notebook


def test_outputs_are_written_back_without_marks_and_change_no_fingerprint(notebooks):
    path = notebooks.write("01_one", "print(window)", 'run.record({"x": (1, "count", "x")})')
    before = nbformat.read(path, as_version=4)
    assert regenerate([], notebooks.folder) == [path]
    after = nbformat.read(path, as_version=4)
    nbformat.validate(after)
    assert [cell.source for cell in after.cells] == [cell.source for cell in before.cells]
    assert [c.execution_count for c in after.cells if c.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert after.cells[4].outputs[0].text == "5\n"
    assert "papermill" not in json.dumps(after)
    assert run(make_plan(discover(notebooks.folder))).unchanged
    again = path.read_text()
    regenerate(["01"], notebooks.folder)
    assert path.read_text() == again


def test_nothing_is_written_back_from_a_failed_run(notebooks):
    path = notebooks.write("01_fails", "1 / 0")
    before = path.read_text()
    with pytest.raises(RecsysError, match="01_fails"):
        regenerate([], notebooks.folder)
    assert path.read_text() == before


def test_labs_are_written_back_from_their_full_profile(notebooks):
    lesson = notebooks.write("01_one")
    before = lesson.read_text()
    profiles = '{"quick": {}, "full": {"window": 9}}'
    path = notebooks.write("01_lab_one", "print(window)", profiles=profiles)
    assert regenerate([], notebooks.folder, labs=True) == [path]
    assert nbformat.read(path, as_version=4).cells[4].outputs[0].text == "9\n"
    assert lesson.read_text() == before
