"""Settings on the command line, as several commands take them."""

import json
from typing import Any

from recsys_lib.errors import RecsysError


def setting(text: str, option: str) -> tuple[str, Any]:
    """Return name and value of ``name=value``; the value is JSON where it can be, else text.

    Raises
    ------
    RecsysError
        There is no ``=``; names the option that the text was given to.
    """
    name, separator, value = text.partition("=")
    if not separator:
        raise RecsysError(f"{option} does not understand {text!r}: write name=value.")
    try:
        return name.strip(), json.loads(value)
    except json.JSONDecodeError:
        return name.strip(), value
