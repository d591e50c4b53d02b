"""The README keeps its word: every block of Python in it runs as it stands."""

import re
import runpy
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)


def test_there_are_blocks():
    assert len(BLOCKS) == README.read_text(encoding="utf-8").count("```python")
    assert len(BLOCKS) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:60])
def test_a_block_of_python_runs(block, ml_100k, tmp_path, monkeypatch, capsys):
    """Each with names and a folder of its own, as a reader would start it."""
    (tmp_path / "block.py").write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    runpy.run_path("block.py", run_name="__main__")
    assert capsys.readouterr().out.strip(), "a block that prints nothing shows nothing"
