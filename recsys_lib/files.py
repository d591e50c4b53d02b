"""Writing files so that a reader sees the old content or the new, never half of it."""

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys_lib.errors import RecsysError

if TYPE_CHECKING:
    import numpy as np

MARKER = ".recsys.json"  # in each folder that is written whole: what was written
# Before there were markers, a folder was known by a description with this key.
DESCRIPTIONS = {
    "dataset.json": "fingerprint",
    "artifact.json": "library",
    "report.json": "rejected",
}
# What desktops and notebooks leave in any folder that they show.
JUNK = {".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints", "__pycache__"}


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    The block writes one file at the yielded path. When it raises, ``path`` is untouched and the
    temporary file is removed.

    Raises
    ------
    RecsysError
        ``path`` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise RecsysError(f"{path} is a folder: name a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes the file private; what we publish follows the user's umask.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path, ours: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside ``path`` that takes the place of ``path`` if the block succeeds.

    When the block raises, the old folder stays and the new one is removed. The new folder gets the
    file :data:`MARKER`, so that a later call recognises it.

    Parameters
    ----------
    path : Path
        A link to a folder stays a link: what it leads to is replaced.
    ours : bool
        Whether the caller knows that the folder is the library's, because it made what holds it.

    Raises
    ------
    RecsysError
        See :func:`check_replaceable`. Nothing is changed then.
    """
    path = Path(os.path.realpath(path))
    if not ours:
        check_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    fresh, old = holder / "new", holder / "old"
    fresh.mkdir()
    try:
        yield fresh
        _mark(fresh, (p for p in fresh.rglob("*") if not p.is_dir()))
        if path.exists():
            if not ours:
                check_replaceable(path)  # somebody may have put something there meanwhile
            os.replace(path, old)
        os.replace(fresh, path)
    except BaseException:
        if old.exists() and not path.exists():
            os.replace(old, path)
        raise
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def check_replaceable(path: Path) -> None:
    """Raise :class:`RecsysError` unless a folder may be replaced without loss to anybody.

    That is so where nothing is there, where the folder is empty, and where this library wrote it
    and nothing was put into it since. This is the only place that decides it.
    """
    path = Path(path)
    if not path.exists():
        above = next(folder for folder in path.absolute().parents if folder.exists())
        if not above.is_dir():
            raise RecsysError(f"{above} is a file, so {path} cannot be made: name another folder.")
        return
    if not path.is_dir():
        raise RecsysError(f"{path} is a file, not a folder: name another folder.")
    found = sorted(p for p in path.rglob("*") if not p.is_dir() or p.is_symlink())
    found = [p for p in found if not JUNK.intersection(p.relative_to(path).parts)]
    known = _marked(path)
    strange = [p for p in found if p.relative_to(path).as_posix() not in known]
    if strange:
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        raise RecsysError(
            f"{path} holds {strange[0].relative_to(path)}{more}, which this program did not write. "
            "It is left as it is: name another folder, or move what is in it."
        )


def claim_folder(path: Path, names: Iterable[str]) -> None:
    """Make a folder for files of these names that come and go, and mark it as the library's.

    Raises
    ------
    RecsysError
        The folder holds something else.
    """
    path = Path(path)
    check_replaceable(path)
    path.mkdir(parents=True, exist_ok=True)
    known = _marked(path) - {MARKER}
    _mark(path, [path / name for name in known.union(names)])


def remove_folder(path: Path) -> None:
    """Remove a folder that the library wrote; :class:`RecsysError` where it holds anything else."""
    if Path(path).exists():
        check_replaceable(path)
        shutil.rmtree(path)


def leftovers(path: Path) -> list[Path]:
    """Return what killed writers of a file or folder left beside it; ask under its lock."""
    path = Path(path)
    return leftovers_in(path.parent, glob.escape(path.name))


def leftovers_in(folder: Path, names: str = "*") -> list[Path]:
    """Return what killed writers of all files and folders that a pattern names left in a folder."""
    found = []
    for each in Path(folder).glob(".*"):
        name, _, drawn = each.name[1:].rpartition(".")
        if fnmatchcase(name, names) and re.fullmatch("[a-z0-9_]{8}", drawn):
            found.append(each)
    return [each for each in found if not each.is_dir() or _is_holder(each)]


def _is_holder(folder: Path) -> bool:
    """Tell whether a folder holds nothing but what :func:`atomic_folder` puts into one."""
    return {each.name for each in folder.iterdir()} <= {"new", "old"}


def _mark(folder: Path, written: Iterable[Path]) -> None:
    names = sorted({p.relative_to(folder).as_posix() for p in written} - {MARKER})
    write_json(folder / MARKER, {"made_by": "recsys", "files": names})


def _marked(folder: Path) -> set[str]:
    """Return the files that the library wrote into a folder, as its marker says."""
    try:
        marker = read_json(folder / MARKER)
        return {MARKER, *marker["files"]} if marker["made_by"] == "recsys" else set()
    except FileNotFoundError:
        return _before_markers(folder)
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _before_markers(folder: Path) -> set[str]:
    """Return the same for a folder that was written before there were markers."""
    for name, key in DESCRIPTIONS.items():
        try:
            described = key in read_json(folder / name)
        except (OSError, ValueError, TypeError):
            continue
        if described:
            tables = (p for p in folder.rglob("*") if p.suffix in (".parquet", ".json", ".npz"))
            return {p.relative_to(folder).as_posix() for p in tables}
    return set()


def socket_folder(prefix: str) -> tempfile.TemporaryDirectory:
    """Return a temporary folder for Unix sockets, whose paths must be short.

    The default temporary folder may be deep (macOS, CI).
    """
    return tempfile.TemporaryDirectory(prefix=prefix, dir="/tmp" if os.path.isdir("/tmp") else None)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_npz(path: Path) -> "dict[str, np.ndarray]":
    """Read the arrays of an ``.npz`` file by name; nothing in it is ever unpickled.

    Raises
    ------
    OSError
        The file cannot be opened.
    ValueError
        It is no such file, or it is damaged.
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as stored:  # a lone array is a TypeError here
            return dict(stored)
    except (zipfile.BadZipFile, EOFError, zlib.error, TypeError) as error:
        raise ValueError(f"{path} is no .npz file, or is damaged: {error}") from None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock named after ``path``; other processes wait for it.

    The lock is the file ``.<name>.lock`` beside ``path``; a killed holder releases it.
    """
    from filelock import FileLock

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.parent / f".{path.name}.lock"):
        yield
