"""The solutions of the exercises are put where they run."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from solved_notebooks import solved_cells

CELLS = [
    new_code_cell("def double(x):\n    return None  # your code"),
    new_markdown_cell("It is checked here."),
    new_code_cell("assert double(2) in (None, 4)"),
    new_code_cell("kept = 3"),
]


def test_a_solution_and_its_check_follow_the_untouched_exercise():
    found = solved_cells(CELLS, "import math\ndef double(x):\n    return math.ldexp(x, 1)")
    sources = [cell.source for cell in found]
    solved, check = sources[3:5]
    assert sources == [*(cell.source for cell in CELLS[:3]), solved, check, "kept = 3"]
    assert "return math.ldexp(x, 1)" in solved
    assert check == CELLS[2].source
    exec("\n".join(sources[:1] + sources[2:]), names := {})
    assert names["double"](2) == 4


def test_a_wrong_solution_is_found():
    found = solved_cells(CELLS, "def double(x):\n    return 5")
    code = "\n".join(cell.source for cell in found if cell.cell_type == "code")
    with pytest.raises(AssertionError):
        exec(code, {})


@pytest.mark.parametrize(
    ("cells", "solutions", "words"),
    [
        (CELLS, "def double(x): return 4\ndef triple(x): return 6", "triple"),
        (CELLS[:2], "def double(x): return 4", "followed by its check"),
    ],
)
def test_a_solution_that_answers_nothing_is_an_error(cells, solutions, words):
    with pytest.raises(AssertionError, match=words):
        solved_cells(cells, solutions)
