"""Hashes of the code that results depend on: the library, and the packages it is built on."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path

import recsys_lib


@cache
def library_fingerprint() -> str:
    """Return a hash of the library's source, of the pinned versions and of the installed ones."""
    package = Path(recsys_lib.__file__).parent
    lock = package.parent / "requirements.lock"
    digest = hashlib.sha256(json.dumps(package_versions(direct_only=True)).encode())
    for path in [*sorted(package.rglob("*.py")), *([lock] if lock.exists() else [])]:
        digest.update(path.relative_to(package.parent).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def package_versions(direct_only: bool = False) -> dict[str, str]:
    """Return the installed versions, by name, of what the library requires.

    By default the packages that help to develop it are included. Of a library that was not
    installed, only put on the path, nothing is known.
    """
    from importlib.metadata import PackageNotFoundError, requires, version

    try:
        required = requires("recsys-lib") or []
    except PackageNotFoundError:
        return {}
    found = {}
    for requirement in required:
        if direct_only and "extra ==" in requirement:
            continue
        name = re.match(r"[A-Za-z0-9._-]+", requirement).group()
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def folder_fingerprint(folder: Path) -> str:
    """Return a hash of the names and the content of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
