"""Notebooks as reproducible experiments.

The names below are imported at first use: what only executes notebooks must not load the data.
"""

import importlib

_HOMES = {"Missing": "metrics", "Workspace": "workspace", "start": "workspace"}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
