"""Opening an archive somebody else made: nothing outside the folder, nothing without bound."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from recsys_lib.errors import DataError

# The largest published archive (ml-32m) unpacks to 0.9 GB; deflate of ratings gains about 5:1.
MAX_UNPACKED_BYTES = 8 << 30
MAX_RATIO = 200
RATIO_COUNTS_FROM_BYTES = 10 << 20
COPY_BYTES = 1 << 20


def refuse_unsafe(member: zipfile.ZipInfo, archive: Path) -> None:
    """Raise :class:`DataError` for a member that climbs out, is a link, or would swell absurdly."""
    name = member.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or (parts and parts[0].endswith(":")):
        raise DataError(
            f"{archive.name} holds {member.filename!r}, a path that leaves the folder it is "
            "unpacked into. It was not opened."
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DataError(f"{archive.name} holds a symbolic link ({member.filename!r}); refused.")
    large = member.file_size > RATIO_COUNTS_FROM_BYTES
    if large and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        raise DataError(
            f"{archive.name}: {member.filename!r} would unpack to {member.file_size:,} bytes "
            f"from {member.compress_size:,}; that is no data set. It was not opened."
        )


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with archive.open(member) as source, open(target, "wb") as out:
        while block := source.read(COPY_BYTES):
            left -= len(block)
            if left < 0:
                raise DataError(f"{member.filename!r} is larger than its archive states.")
            out.write(block)


def unpack(archive: Path, folder: Path, inside: str = "") -> None:
    """Unpack the members below ``inside`` of a zip archive or wheel into ``folder``.

    Every member is checked before the first is written.

    Raises
    ------
    DataError
        A path climbs out, a link, an absurd size, a damaged or truncated archive.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir()]
            for member in members:
                refuse_unsafe(member, archive)
            if sum(m.file_size for m in members) > MAX_UNPACKED_BYTES:
                raise DataError(f"{archive.name} would unpack to more than 8 GiB; refused.")
            for member in members:
                if PurePosixPath(member.filename).is_relative_to(inside or "."):
                    _copy(opened, member, folder / member.filename)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(
            f"{archive.name} is damaged or was cut short ({error}). Nothing was changed; "
            "fetch it again."
        ) from error


@contextmanager
def opened(source: Path, inside: str = "") -> Iterator[Path]:
    """Yield a folder with the files of ``source``: itself, or an archive unpacked for the time."""
    if source.is_dir():
        yield source
        return
    with TemporaryDirectory(prefix="recsys-data-") as temporary:
        unpack(source, Path(temporary), inside)
        yield Path(temporary)
