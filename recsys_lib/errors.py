"""Errors written for the person who meets them."""


class RecsysError(Exception):
    """Something a user can mend: the message says what was wrong, with which value, what to do.

    The command line prints it as it is, without a traceback.
    """


class DataError(RecsysError):
    """A data set is missing, damaged, or not in a form the library reads."""


class MachineError(RecsysError):
    """The machine lacks something (Java, a Redis server), or has the wrong version of it."""


def nearest(wrong: str, known) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or an empty string."""
    import difflib

    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""
