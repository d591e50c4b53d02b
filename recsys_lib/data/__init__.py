"""Data sets: where they come from, how they lie on disk, how they are split.

:func:`ensure` is what a notebook needs; :func:`get` and :class:`Request` give every choice.
"""

from recsys_lib.data.ingest import Request, ensure, get
from recsys_lib.data.store import Dataset, load, present

__all__ = ["Dataset", "Request", "ensure", "get", "load", "present"]
