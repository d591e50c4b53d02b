"""Versions of models on disk, with where each comes from, and which one serves."""

from recsys_lib.models_registry.registry import Lineage, ModelRegistry, NotPromoted, Parity

__all__ = ["Lineage", "ModelRegistry", "NotPromoted", "Parity"]
