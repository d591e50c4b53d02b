"""Every command that the course advises exists: in messages, help texts, pages and notebooks."""

import ast
import functools
import re
from importlib.util import find_spec

import nbformat
import pytest
import typer
from typer.core import TyperGroup

from recsys_lib import paths
from recsys_lib.cli import app

ROOT = paths.project_root()
COMMANDS = typer.main.get_command(app)
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def texts_of_python(source: str) -> list[str]:
    """Return the texts in a module, each placeholder of an f-string as the word X."""
    tree = ast.parse(source)
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inner = {id(part) for node in joined for part in node.values}
    plain = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
    ]
    return plain + [
        "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        for node in joined
    ]


@functools.cache
def texts() -> dict[str, list[str]]:
    """Return what a person reads, by the file that it is in."""
    found = {"Makefile": [(ROOT / "Makefile").read_text()]}
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/README.md")]:
        found[path.relative_to(ROOT).as_posix()] = [path.read_text()]
    for path in (ROOT / "recsys_lib").rglob("*.py"):
        found[path.relative_to(ROOT).as_posix()] = texts_of_python(path.read_text())
    for path in paths.notebooks_dir().glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        found[path.name] = [cell.source for cell in cells]
    return found


def advised(pattern: str) -> list:
    return [
        pytest.param(match.group(1), id=f"{file}: {match.group(1)[:60]}")
        for file, parts in sorted(texts().items())
        for text in parts
        for match in re.finditer(pattern, text, flags=re.MULTILINE)
    ]


# A whole command between marks of code, or at the beginning of a line in a block of code.
MAKE = advised(r"(?:`|'|^)make +([a-z]+)\b")
RECSYS = advised(r"\brecsys +([a-z][^`'\"\n#|;&()]*)")
MODULES = advised(r"\bpython3? -m +([a-z_.]+[a-z_])")


@pytest.mark.parametrize("target", MAKE)
def test_targets_of_make_exist(target):
    assert target in TARGETS


@pytest.mark.parametrize("line", RECSYS)
def test_commands_and_options_exist(line):
    command = COMMANDS
    for word in (word.rstrip(".,:") for word in line.split()):
        if isinstance(command, TyperGroup):
            assert word in command.commands, f"recsys {line}: there is no command {word!r}"
            command = command.commands[word]
        elif word.startswith("-"):
            options = {name for option in command.params for name in option.opts} | {"--help"}
            assert word.partition("=")[0] in options, f"recsys {line}: there is no option {word}"


@pytest.mark.parametrize("module", MODULES)
def test_modules_exist(module):
    assert find_spec(module) is not None


def test_there_is_something_to_check():
    assert len(MAKE) > 5
    assert len(RECSYS) > 50
    assert len(MODULES) > 1
