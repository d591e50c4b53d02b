"""Notebooks as reproducible experiments."""

from recsys_lib.experiments.metrics import Missing
from recsys_lib.experiments.workspace import Workspace, start

__all__ = ["Missing", "Workspace", "start"]
