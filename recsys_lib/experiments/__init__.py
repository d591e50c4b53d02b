"""Notebooks as reproducible experiments."""

from recsys_lib.experiments.workspace import Workspace, start

__all__ = ["Workspace", "start"]
