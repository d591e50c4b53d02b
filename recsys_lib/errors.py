"""Errors written for the person who meets them."""

import errno
import re


class RecsysError(Exception):
    """Something a user can mend: the message says what was wrong, with which value, what to do.

    The command line prints it as it is, without a traceback.
    """


class DataError(RecsysError):
    """A data set is missing, damaged, or not in a form the library reads."""


class MachineError(RecsysError):
    """The machine lacks something (Java, a Redis server), or has the wrong version of it."""


class NothingToJudge(RecsysError):
    """A data set has too few users for any figure of the course to mean something."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a notebook: the sentence alone, for no line of code is wrong."""
        return [str(self)]


def nearest(wrong: str, known) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or an empty string."""
    import difflib

    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


def storage_sentence(error: OSError) -> str:
    """Return a sentence about what the file system refused, for the person who has to mend it."""
    found = re.search(r"errno:? (\d+)", str(error), re.IGNORECASE)  # Arrow has it in the text only
    code = error.errno or (int(found[1]) if found else None)
    where = f" ({error.filename})" if error.filename else ""
    if code in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"There is no space left on the disk{where}. Nothing that was there has been changed."
        )
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"A file or folder may not be read or written{where}: check its permissions, or name "
            "another place (RECSYS_DATA_DIR and RECSYS_OUTPUTS_DIR say where data and runs lie)."
        )
    if code in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return f"A file stands where a folder is needed, or a folder where a file is{where}."
    return f"The file system reports: {error}."
