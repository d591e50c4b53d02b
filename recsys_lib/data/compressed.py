"""Reading a file through whatever it is compressed with, recognised by its first bytes."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pyarrow as pa

from recsys_lib.data.archives import refuse_unsafe
from recsys_lib.errors import DataError

DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)
ZIP = b"PK\x03\x04"
OPENERS = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"\x28\xb5\x2f\xfd": lambda path: pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"),
}


class _Checked(io.RawIOBase):
    """A compressed stream whose damage is a :class:`DataError`."""

    def __init__(self, stream, path: Path):
        self._stream, self._path = stream, path

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size if size >= 0 else None)
        except DAMAGE as error:
            raise DataError(f"{self._path.name} is damaged or was cut short ({error}).") from None

    def close(self) -> None:
        self._stream.close()
        super().close()


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading what it holds once it is unpacked.

    gzip, bzip2, xz and Zstandard are unpacked on the way, and a zip archive that holds one file.

    Raises
    ------
    DataError
        There is no such file, it cannot be read, or a zip archive holds several files. Damage
        further on is a :class:`DataError` of the read that meets it.
    """
    path = Path(path)
    try:
        with open(path, "rb") as stream:
            start = stream.read(8)
        if start.startswith(ZIP):
            return _Checked(_only_member(path), path)
        opener = next((OPENERS[magic] for magic in OPENERS if start.startswith(magic)), None)
        return open(path, "rb") if opener is None else _Checked(opener(path), path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


def _only_member(path: Path) -> BinaryIO:
    try:
        archive = zipfile.ZipFile(path)
        names = [member for member in archive.infolist() if _is_data(member)]
        if "[Content_Types].xml" in archive.namelist():
            raise DataError(f"{path.name} is an Office file: save the table as CSV first.")
        if len(names) != 1:
            shown = ", ".join(repr(member.filename) for member in names[:5]) or "none"
            raise DataError(
                f"{path.name} holds {len(names)} files ({shown}), not one table: unpack it and "
                "give the one that is meant."
            )
        refuse_unsafe(names[0], path)
        return archive.open(names[0])
    except (*DAMAGE, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path.name} is damaged or cannot be unpacked ({error}).") from None


def _is_data(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not member.is_dir() and not hidden


def is_archive(path: Path) -> bool:
    """Tell whether a file is a zip archive or wheel of several files, or a damaged one."""
    with open(path, "rb") as stream:
        if not stream.read(4).startswith(ZIP):
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(map(_is_data, archive.infolist())) != 1
    except DAMAGE:
        return True
