"""No command replaces or removes a folder that it did not write: every option that writes."""

import json
from pathlib import Path
from typing import get_args, get_type_hints

import pandas as pd
import pytest
import typer
from typer.models import ArgumentInfo
from typer.testing import CliRunner

from recsys_lib import files
from recsys_lib.cli import app
from recsys_lib.data import Request, get
from recsys_lib.errors import RecsysError

COLUMNS = "user=user,item=item,rating=rating,timestamp=timestamp"
# What each command is told to write to: {} stands for it. The other paths are inputs.
FOLDERS = {
    "data get NAME": ["data", "get", "mine", "--from", "in.csv", "--columns", COLUMNS],
    "data synth NAME": ["data", "synth", "mine", "--users", "3", "--interactions", "60"],
    "samples build --out": ["samples", "build", "tiny", "--out", "{}"],
    "samples import --out": ["samples", "import", "reference.csv", "--out", "{}"],
    "train --out": ["train", "fm", "--samples", "clicks.csv", "--schema", "s.json", "--out", "{}"],
    "train --checkpoint": [
        *("train", "fm", "--samples", "clicks.csv", "--schema", "s.json", "--out", "model"),
        *("--checkpoint", "{}"),
    ],
}
FILES = {
    "recommend --out": ["recommend", "--recaller", "popular", "--train", "in.csv", "--out", "{}"],
    "recommend --rejects": [
        *("recommend", "--recaller", "popular", "--train", "in.csv", "--out", "lists.csv"),
        *("--rejects", "{}"),
    ],
    "samples export --out": ["samples", "export", "built", "--out", "{}"],
}
READ_ONLY = {
    "data get --from", "data get --items", "samples export SAMPLES", "samples import FILE",
    "train --samples", "train --schema", "evaluate MODEL", "evaluate --samples",
    "evaluate --schema", "recommend --train", "recommend --items",
    "models add MODEL", "models add --samples", "models serve --model-config-file",
    "serve --redis-address",
}  # fmt: skip
# Versions are added and none is replaced; tests/models_registry holds a folder of others to it.
NAMES = ["add", "list", "show", "promote", "rollback", "serve"]
REGISTRY = {f"models {name} --registry" for name in NAMES}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with every input that the commands read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    rows = [(u, i, 5, 1_500_000_000 + u) for u in range(4) for i in range(4) if u != i]
    frame = pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"])
    frame.to_csv("in.csv", index=False)
    get(Request("tiny", source=Path("in.csv")))
    (tmp_path / "clicks.csv").write_text("who,what,did\n1,2,1\n1,3,0\n")
    (tmp_path / "s.json").write_text(json.dumps({"label": "did", "user": "who", "item": "what"}))
    return tmp_path


def thesis_in(folder: Path) -> dict:
    folder.mkdir(parents=True)
    (folder / "chapters").mkdir()
    (folder / "chapters" / "thesis.txt").write_text("years of work")
    return content_of(folder)


def content_of(folder: Path) -> dict:
    return {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.mark.parametrize("what", FOLDERS)
def test_a_folder_of_somebody_elses_stays(what, here):
    folder = here / "data" / "mine" if what.endswith("NAME") else here / "precious"
    before = thesis_in(folder)
    if what == "samples import --out":
        from recsys_lib.features.reference_layout import THEIR_NAMES

        values = ["1" for _ in THEIR_NAMES]
        Path("reference.csv").write_text(",".join(THEIR_NAMES) + "\n" + ",".join(values) + "\n")
    arguments = [str(folder) if each == "{}" else each for each in FOLDERS[what]]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, RecsysError), result.output
    assert "holds chapters/thesis.txt, which this program did not write" in str(result.exception)
    assert content_of(folder) == before


@pytest.mark.parametrize("what", FILES)
def test_a_folder_in_place_of_a_file_stays(what, here):
    folder = here / "precious.csv"
    before = thesis_in(folder)
    if what == "samples export --out":
        CliRunner().invoke(app, ["samples", "build", "tiny", "--out", "built"])
    arguments = [str(folder) if each == "{}" else each for each in FILES[what]]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, RecsysError), result.output
    assert "is a folder" in str(result.exception)
    assert content_of(folder) == before


def test_an_input_is_not_overwritten(here):
    before = (here / "in.csv").read_bytes()
    for option in ("--out", "--rejects"):
        other = ["--out", "lists.csv"] if option == "--rejects" else []
        asked = ["recommend", "--recaller", "popular", "--train", "in.csv", option, "in.csv"]
        result = CliRunner().invoke(app, [*asked, *other])
        assert "is what is read" in str(result.exception)
    assert (here / "in.csv").read_bytes() == before


def test_a_pointer_called_latest_that_is_no_link_stays(here, monkeypatch):
    from recsys_lib.experiments.records import point_latest

    thesis = thesis_in(here / "outputs" / "latest")
    run = here / "outputs" / "20260101-000000-tiny-quick"
    run.mkdir()
    point_latest(run)
    assert content_of(here / "outputs" / "latest") == thesis


def test_only_what_a_killed_writer_left_is_cleared(here):
    thesis = thesis_in(here / "data" / ".tiny.thesis01")
    left = here / "data" / ".tiny.abcdefgh"
    (left / "new").mkdir(parents=True)
    get(Request("tiny", source=Path("in.csv")))
    assert content_of(here / "data" / ".tiny.thesis01") == thesis
    assert not left.exists()


def test_what_the_program_wrote_is_replaced(here):
    for _ in range(2):
        for what in ("samples build --out", "data synth NAME"):
            arguments = [each.replace("{}", "built") for each in FOLDERS[what]]
            assert CliRunner().invoke(app, arguments).exit_code == 0
    assert (here / "built" / files.MARKER).is_file()


def test_every_option_with_a_path_is_in_this_test():
    """A new option that writes has to be added above."""
    found = {"data get NAME", "data synth NAME"}

    def walk(group: typer.Typer, above: str) -> None:
        for below in group.registered_groups:
            walk(below.typer_instance, f"{above}{below.name} ")
        for command in group.registered_commands:
            name = command.name or command.callback.__name__
            hints = get_type_hints(command.callback, include_extras=True)
            for parameter, hint in hints.items():
                kind, *about = get_args(hint) or (hint,)
                if Path in (kind, *get_args(kind)):
                    found.add(f"{above}{name} {label_of(parameter, about[0])}")

    walk(app, "")
    assert found == {*FOLDERS, *FILES, *READ_ONLY, *REGISTRY}


def label_of(parameter: str, about) -> str:
    if isinstance(about, ArgumentInfo):
        return parameter.upper()
    declared = [
        each for each in (about.default, *(about.param_decls or ())) if isinstance(each, str)
    ]
    return declared[0] if declared else "--" + parameter.replace("_", "-")
