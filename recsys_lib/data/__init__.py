"""Data sets: where they come from, how they lie on disk, how they are split.

:func:`ensure` is what a notebook needs; :func:`get` and :class:`Request` give every choice.
:class:`Interactions` takes in a table of your own.
"""

from recsys_lib.data.ids import Ids
from recsys_lib.data.ingest import Request, ensure, get
from recsys_lib.data.interactions import Interactions
from recsys_lib.data.store import Dataset, load, present

__all__ = ["Dataset", "Ids", "Interactions", "Request", "ensure", "get", "load", "present"]
