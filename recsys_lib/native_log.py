"""Keeping native noise out of notebooks, without losing it.

TensorFlow and the Java virtual machine write to file descriptor 2 directly, past ``sys.stderr``.
In a notebook that text would become output that no two machines share.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from recsys_lib import paths


def native_log() -> Path:
    """Return the file that collects what native libraries print."""
    return Path(os.environ.get("RECSYS_RUN_DIR") or paths.outputs_dir()) / "native.log"


@contextlib.contextmanager
def native_stderr_to_log() -> Iterator[None]:
    """Send file descriptor 2 to ``native.log`` while the block runs.

    A process started in the block (the Java virtual machine) keeps writing there afterwards.
    """
    log = native_log()
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(log, "ab") as stream:
            os.dup2(stream.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
