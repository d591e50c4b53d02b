"""What a result depends on apart from the code of its notebook, written down with each run."""

import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from recsys_lib import paths
from recsys_lib.errors import MachineError
from recsys_lib.experiments.fingerprint import package_versions
from recsys_lib.spark.java import find_java


def provenance() -> dict[str, Any]:
    """Return the versions, the platform and the revision of the code."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "java": _java(),
        "packages": package_versions(),
        "revision": git_revision(),
    }


def _java() -> int | None:
    try:
        return find_java()[1]
    except MachineError:
        return None


def git_revision() -> dict[str, Any] | None:
    """Return ``{"commit": hash, "dirty": bool}`` of the checkout; None where there is no git."""
    commit, state = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    return None if commit is None else {"commit": commit, "dirty": bool(state)}


def _git(*arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(paths.project_root()), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def command_line() -> str:
    """Return the command as it was typed, without the folder of the program."""
    program = Path(sys.argv[0])
    name = "python -m recsys_lib" if program.name == "__main__.py" else program.name
    return shlex.join([*name.split(), *sys.argv[1:]])
