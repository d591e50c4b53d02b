"""Telling whether code changed."""

import hashlib
from functools import cache
from pathlib import Path

import recsys_lib


@cache
def library_fingerprint() -> str:
    """Return a hash of all source files of the library and of the pinned versions beside it."""
    package = Path(recsys_lib.__file__).parent
    lock = package.parent / "requirements.lock"
    digest = hashlib.sha256()
    for path in [*sorted(package.rglob("*.py")), *([lock] if lock.exists() else [])]:
        digest.update(str(path.relative_to(package.parent)).encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
