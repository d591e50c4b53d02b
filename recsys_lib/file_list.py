"""A list of the files of a folder, kept in it, so that a broken copy is noticed.

TensorFlow notices a cut-off file, but not every changed byte: a vocabulary lies in the graph as
plain text, and a graph with a wrong vocabulary loads and gives wrong scores.
"""

from pathlib import Path

from recsys_lib import files
from recsys_lib.errors import DataError

FILE_LIST = Path("assets.extra") / "files.json"  # TensorFlow ignores this folder of a SavedModel


def write_file_list(folder: Path) -> None:
    """List all files of a folder with their hashes; call it when the folder is complete.

    The mark by which the library knows its own folders is left out: a copy gets one of its own.
    """
    folder = Path(folder)
    listed = {
        path.relative_to(folder).as_posix(): files.sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / FILE_LIST and path.name != files.MARKER
    }
    files.write_json(folder / FILE_LIST, listed)


def verify_files(folder: Path) -> None:
    """Check a folder against its list; one without a list passes.

    Raises
    ------
    DataError
        A listed file is missing or has changed, or the list cannot be read.
    """
    folder = Path(folder)
    path = folder / FILE_LIST
    if not path.is_file():
        return
    try:
        listed = files.read_json(path)
        changed = [name for name, digest in listed.items() if _digest(folder / name) != digest]
    except (ValueError, AttributeError) as error:
        raise DataError(f"The list of files {path} cannot be read: {error}") from None
    if changed:
        raise DataError(
            f"{folder} is not the folder that was written: {changed[0]} is missing or has changed "
            f"({len(changed)} of {len(listed)} files). Copy it again."
        )


def _digest(path: Path) -> str | None:
    return files.sha256_of(path) if path.is_file() else None
