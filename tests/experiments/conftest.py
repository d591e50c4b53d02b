"""Tiny notebooks with real kernels, in folders of their own."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

# What a notebook of the project does through `start`, without the imports that takes.
PRELUDE = """
import json, os
from pathlib import Path
folder = Path(os.environ["RECSYS_RUN_DIR"])

class Run:
    def leave(self, path, value):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))

    def save(self, name, value):
        self.leave(folder / "artifacts" / name / "artifact.json", {"notebook": NAME, "config": {}})
        self.leave(folder / "artifacts" / name / "value.json", value)

    def load(self, name):
        return json.loads((folder / "artifacts" / name / "value.json").read_text())

    def record(self, metrics):
        parts = ("value", "unit", "meaning")
        self.leave(folder / NAME / "metrics.json",
                   {name: dict(zip(parts, each)) for name, each in metrics.items()})

run = Run()
"""


class Notebooks:
    """A folder into which tests write notebooks."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()

    def write(
        self,
        name: str,
        *code: str,
        parameters: str = "window: int = 5  # items on each side",
        profiles: str = '{"quick": {"window": 2}, "full": {}}',
    ) -> Path:
        """Write a notebook whose last cells hold ``code``."""
        cells = [
            new_markdown_cell(f"# {name} title"),
            new_code_cell(f"profiles = {profiles}", metadata={"tags": ["profiles"]}),
            new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            new_code_cell(f"NAME = {name!r}" + PRELUDE),
            *(new_code_cell(source) for source in code),
        ]
        for number, cell in enumerate(cells):
            cell["id"] = f"cell-{number}"
        notebook = new_notebook(
            cells=cells,
            metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
        )
        path = self.folder / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path


@pytest.fixture
def notebooks(tmp_path):
    return Notebooks(tmp_path / "notebooks")


@pytest.fixture(autouse=True)
def outputs(tmp_path, monkeypatch) -> Path:
    """The outputs of one test are its own."""
    monkeypatch.setenv("RECSYS_OUTPUTS_DIR", str(tmp_path / "outputs"))
    monkeypatch.delenv("RECSYS_RUN_DIR", raising=False)
    return tmp_path / "outputs"
